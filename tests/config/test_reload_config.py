"""POST /admin/config/reload, and the file that is followed without it."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as current
from django.core.exceptions import ImproperlyConfigured

from audit.models import AuditLog
from config import env, reloadable_settings
from config.jobs import follow_changed_settings
from config.models import ConfigSnapshot
from config.watcher import Watcher
from tests.factories import make_agent, make_generator
from tests.support.api import refused

pytestmark = pytest.mark.django_db

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _as_before(settings, tmp_path) -> Iterator[None]:
    settings.DATA_DIR = tmp_path
    before = {name: getattr(current, name) for name in reloadable_settings.read_reloadable_settings()}
    level = logging.getLogger().level
    yield
    env.fall_back_on({})
    for name, value in before.items():
        setattr(current, name, value)
    logging.getLogger().setLevel(level)


@pytest.fixture
def write(monkeypatch, tmp_path) -> Write:
    """Writes the file that BROKKR_CONFIG_FILE names."""
    path = Path(tmp_path) / "brokkr.toml"
    monkeypatch.setattr(reloadable_settings, "CONFIG_FILE", str(path))
    monkeypatch.setattr(reloadable_settings, "WATCHED", True)
    monkeypatch.setattr(reloadable_settings, "DEBOUNCE_SECONDS", 0)

    def write(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    write("")
    return write


def reload(admin: Any) -> dict[str, Any]:
    response = admin.post("/admin/config/reload")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def test_without_a_change_there_are_none_and_it_is_a_success(admin):
    body = reload(admin)
    assert body.keys() == {"reloaded_at", "changes", "success", "message"}
    assert (body["changes"], body["success"]) == ([], True)
    assert body["message"] == "No setting has changed."


def test_an_empty_body_of_any_json_type_will_do(admin):
    assert admin.request("POST", "/admin/config/reload", {}).status_code == 200
    assert admin.request("POST", "/admin/config/reload").status_code == 200


def test_what_the_file_says_is_in_effect_and_told_with_what_was(admin, write):
    write(
        '[log]\nlevel = "debug"\n[cors]\nallowed_origins = ["https://a.example", "https://b.example"]\n'
        "max_age_seconds = 60\n[broker]\nwebhook_delivery_batch_size = 7\n"
    )
    body = reload(admin)
    assert sorted(body["changes"], key=lambda change: change["key"]) == [
        {"key": "broker.webhook_delivery_batch_size", "old_value": "50", "new_value": "7"},
        {
            "key": "cors.allowed_origins",
            "old_value": '["http://localhost:3001"]',
            "new_value": '["https://a.example", "https://b.example"]',
        },
        {"key": "cors.max_age_seconds", "old_value": "3600", "new_value": "60"},
        {"key": "log.level", "old_value": "info", "new_value": "debug"},
    ]
    assert body["message"] == "4 settings have changed."
    assert current.WEBHOOK_DELIVERY_BATCH_SIZE == 7
    assert logging.getLogger().level == logging.DEBUG
    preflight = admin.request(
        "OPTIONS",
        "/stacks",
        headers={"Origin": "https://b.example", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert preflight.headers["Access-Control-Max-Age"] == "60"
    assert reload(admin)["changes"] == []


def test_the_environment_wins_over_the_file(admin, write, monkeypatch):
    monkeypatch.setenv("BROKKR__LOG__LEVEL", "warn")
    write('[log]\nlevel = "debug"\n')
    assert reload(admin)["changes"] == [{"key": "log.level", "old_value": "info", "new_value": "warn"}]


def test_each_reload_is_audited_with_its_changes(admin, write):
    reload(admin)
    write('[log]\nlevel = "error"\n')
    reload(admin)
    rows = AuditLog.objects.filter(action="config.reloaded").order_by("sequence")
    assert [row.details for row in rows] == [
        {"changes": []},
        {"changes": [{"key": "log.level", "old_value": "info", "new_value": "error"}]},
    ]
    assert {(row.resource_type, row.resource_id, row.actor_type) for row in rows} == {
        ("config", None, "admin")
    }


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[log\n", "cannot be read"),
        ('[log]\nlevel = "loud"\n', "BROKKR__LOG__LEVEL is 'loud'"),
        ("[broker]\nwebhook_delivery_batch_size = 0\n", "BROKKR__BROKER__WEBHOOK_DELIVERY_BATCH_SIZE is '0'"),
        ('[cors]\nallowed_origins = ["example.com"]\n', "BROKKR__CORS__ALLOWED_ORIGINS holds 'example.com'"),
        ('[database]\nurl = "postgres://x"\n', "database.url, which cannot change while the broker runs"),
        ("level = 1\n", "level, which cannot change"),
    ],
)
def test_a_file_that_cannot_be_used_is_500_and_changes_nothing(admin, write, text, word):
    write(text)
    body = refused(admin.post("/admin/config/reload"), 500, "config_reload_failed")
    assert word in body["message"]
    assert current.LOG_LEVEL == "info"
    assert not ConfigSnapshot.objects.exists()
    assert not AuditLog.objects.filter(action="config.reloaded").exists()


def test_a_file_that_is_not_there_is_500(admin, monkeypatch):
    monkeypatch.setattr(reloadable_settings, "CONFIG_FILE", "/nowhere/brokkr.toml")
    body = refused(admin.post("/admin/config/reload"), 500, "config_reload_failed")
    assert "/nowhere/brokkr.toml" in body["message"]


def test_a_data_folder_that_cannot_be_written_is_500_and_changes_nothing(admin, write, settings):
    write('[log]\nlevel = "warn"\n')
    settings.DATA_DIR = settings.DATA_DIR / "gone"
    body = refused(admin.post("/admin/config/reload"), 500, "config_reload_failed")
    assert "data folder" in body["message"]
    assert current.LOG_LEVEL == "info"
    assert not AuditLog.objects.filter(action="config.reloaded").exists()


def test_only_admins_reload(write):
    for _, api in (make_agent(), make_generator()):
        refused(api.post("/admin/config/reload"), 403, "admin_required")


# --- The watched file -------------------------------------------------------------------------------


def test_a_watched_file_is_followed_once_for_each_change(write):
    watcher = Watcher()
    assert watcher.look(now=0) is None
    write('[log]\nlevel = "warn"\n')
    assert watcher.look(now=0.5) is None
    assert watcher.look(now=2) is not None
    assert current.LOG_LEVEL == "warn"
    assert watcher.look(now=4) is None


def test_a_file_that_is_being_written_is_left_alone(write, monkeypatch):
    monkeypatch.setattr(reloadable_settings, "DEBOUNCE_SECONDS", 60)
    watcher = Watcher()
    path = write('[log]\nlevel = "warn"\n')
    assert watcher.look(now=2) is None
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 61))
    assert watcher.look(now=4) is not None


def test_a_file_that_is_not_watched_waits_for_the_request(admin, write, monkeypatch):
    monkeypatch.setattr(reloadable_settings, "WATCHED", False)
    watcher = Watcher()
    write('[log]\nlevel = "warn"\n')
    assert watcher.look(now=2) is None
    reload(admin)
    # The mark that the request left, as another process of this machine sees it.
    assert watcher.look(now=4) is not None


def test_a_watched_file_that_cannot_be_used_is_logged_and_not_followed(write, caplog):
    watcher = Watcher()
    write('[log]\nlevel = "loud"\n')
    assert watcher.look(now=2) is None
    assert "BROKKR__LOG__LEVEL is 'loud'" in caplog.text
    assert current.LOG_LEVEL == "info"


def test_the_worker_tells_of_what_it_followed_once(write, monkeypatch):
    watchers = [Watcher(), Watcher()]
    write('[log]\nlevel = "warn"\n')
    for watcher in watchers:
        monkeypatch.setattr("config.services.watcher", watcher)
        follow_changed_settings()
    [row] = AuditLog.objects.filter(action="config.reloaded")
    assert (row.actor_type, row.details["changes"][0]["key"]) == ("system", "log.level")


def test_the_file_must_be_right_at_the_start(write):
    write('[log]\nlevel = "loud"\n')
    with pytest.raises(ImproperlyConfigured):
        reloadable_settings.read_reloadable_settings()
