"""bootstrap: everything a broker needs before its first request, once, however often it is run."""

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.models import Registration
from agents.services.agents import delete_agent, lock_agent
from audit.models import AuditLog
from core.events import SYSTEM
from generators.models import Generator
from generators.services import delete_generator, lock_generator, system_generator
from paks.models import Pak, Role
from paks.services import new_token, revoke_pak
from tests.factories import make_agent
from tests.support.api import Api, refused
from tests.support.commands import audited, manage, shown_once
from tests.support.waits import until_it_waits_or_ends

pytestmark = pytest.mark.django_db

User = get_user_model()


@pytest.fixture(autouse=True)
def _nothing_configured(settings) -> None:
    settings.ADMIN_PAK_HASH = ""


def test_the_first_run_prints_the_first_admin_key_once(caplog):
    caplog.set_level(0)
    outcome = manage("bootstrap")
    key = outcome.field("Admin PAK")
    shown_once(key, outcome, caplog.text)
    assert Api(key).post("/auth/pak").json()["admin"] is True


def test_the_second_run_prints_no_secret_and_changes_nothing():
    manage("bootstrap", "--with-site-user")
    before = (Pak.objects.count(), Generator.objects.count(), User.objects.count(), AuditLog.objects.count())
    outcome = manage("bootstrap", "--with-site-user")
    assert (outcome.code, outcome.out) == (0, "")
    after = (Pak.objects.count(), Generator.objects.count(), User.objects.count(), AuditLog.objects.count())
    assert after == before


def test_json_is_one_object_each_time():
    first = manage("bootstrap", "--with-site-user", "--json").json
    assert Api(first["admin_pak"]).post("/auth/pak").status_code == 200
    assert first["site_user"]["username"] == "admin"
    assert first["registered_agents"] == 0
    second = manage("bootstrap", "--with-site-user", "--json").json
    assert second == {"admin_pak": None, "site_user": None, "registered_agents": 0}


def test_the_first_key_is_audited_as_the_commands_doing():
    manage("bootstrap")
    row = audited("pak.created", "bootstrap")
    assert (row.resource_type, row.resource_id) == ("pak", Pak.objects.get().id)
    assert audited("generator.created", "bootstrap").details == {"name": "admin-generator", "via": "cli"}


def test_a_broker_whose_admin_keys_were_all_revoked_mints_none_and_says_so():
    manage("bootstrap")
    revoke_pak(pak_id=Pak.objects.get().id, actor=SYSTEM)
    outcome = manage("bootstrap")
    assert (outcome.code, outcome.out) == (0, "")
    assert "create_pak admin" in outcome.err
    assert Pak.objects.count() == 1


def test_a_configured_hash_is_applied_and_no_key_is_minted(settings):
    token = new_token()
    settings.ADMIN_PAK_HASH = token.hash
    outcome = manage("bootstrap")
    assert (outcome.code, outcome.out) == (0, "")
    assert Api(token.text).post("/auth/pak").json()["admin"] is True
    assert Pak.objects.count() == 1
    assert audited("pak.created", "bootstrap").resource_id == Pak.objects.get().id


def test_a_changed_configured_hash_ends_the_earlier_one(settings):
    earlier, later = new_token(), new_token()
    for token in (earlier, later):
        settings.ADMIN_PAK_HASH = token.hash
        assert manage("bootstrap").out == ""
    refused(Api(earlier.text).post("/auth/pak"), 401, "unauthorized")
    assert Api(later.text).post("/auth/pak").json()["admin"] is True
    assert audited("pak.rotated", "bootstrap").resource_type == "pak"


def test_a_configured_hash_beside_minted_keys_keeps_them(settings):
    minted = manage("bootstrap").field("Admin PAK")
    token = new_token()
    settings.ADMIN_PAK_HASH = token.hash
    manage("bootstrap")
    assert [Api(key).post("/auth/pak").status_code for key in (minted, token.text)] == [200, 200]


def test_a_configured_key_that_was_revoked_stays_so_with_a_warning(settings):
    token = new_token()
    settings.ADMIN_PAK_HASH = token.hash
    manage("bootstrap")
    revoke_pak(pak_id=Pak.objects.get().id, actor=SYSTEM)
    outcome = manage("bootstrap")
    assert (outcome.code, outcome.out) == (0, "")
    assert "BROKKR__BROKER__PAK_HASH" in outcome.err
    assert token.hash not in outcome.err
    refused(Api(token.text).post("/auth/pak"), 401, "unauthorized")


def test_a_hash_that_is_no_longer_configured_mints_no_key(settings):
    settings.ADMIN_PAK_HASH = new_token().hash
    manage("bootstrap")
    settings.ADMIN_PAK_HASH = ""
    assert manage("bootstrap").out == ""
    assert Pak.objects.count() == 1


def test_the_system_generator_and_admin_generator_are_there_afterwards():
    manage("bootstrap")
    assert dict(Generator.objects.active().values_list("name", "is_system")) == {
        "__system__": True,
        "admin-generator": False,
    }


def test_an_admin_generator_that_was_deleted_is_not_made_again():
    manage("bootstrap")
    generator = Generator.objects.get(name="admin-generator")
    delete_generator(generator=lock_generator(generator.id), actor=SYSTEM)
    manage("bootstrap")
    assert not Generator.objects.active().filter(name="admin-generator").exists()


def test_every_live_agent_is_registered_with_the_system_generator():
    missing, present, deleted = (make_agent()[0] for _ in range(3))
    delete_agent(agent=lock_agent(deleted.id), actor=SYSTEM)
    Registration.objects.exclude(agent=present).delete()
    outcome = manage("bootstrap", "--json")
    assert outcome.json["registered_agents"] == 1
    assert "Registered 1 agents" in outcome.err
    registered = Registration.objects.filter(generator=system_generator())
    assert set(registered.values_list("agent_id", flat=True)) == {missing.id, present.id}
    row = audited("agent.registered", "bootstrap")
    assert row.resource_id == missing.id
    assert row.details == {"generator_id": str(system_generator().id), "via": "cli"}


@pytest.mark.parametrize("agents", [1, 5])
def test_registering_takes_one_statement_however_many_agents(agents):
    for _ in range(agents):
        make_agent()
    Registration.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        manage("bootstrap")
    inserts = [
        query["sql"]
        for query in queries
        if query["sql"].startswith("INSERT") and '"agent_generator_registrations"' in query["sql"]
    ]
    assert len(inserts) == 1
    assert Registration.objects.count() == agents


def test_no_site_user_is_made_unless_asked_for():
    manage("bootstrap")
    assert not User.objects.exists()


def test_the_first_site_user_is_a_superuser_with_a_password_printed_once(caplog):
    caplog.set_level(0)
    outcome = manage("bootstrap", "--with-site-user")
    password = outcome.field("Site password")
    shown_once(password, outcome, caplog.text)
    user = get_user_model()._default_manager.get(username=outcome.field("Site user"))
    assert user.check_password(password)
    assert user is not None
    assert (user.get_username(), User.objects.get().is_superuser) == ("admin", True)
    assert audited("site_user.created", "bootstrap").details == {"username": "admin", "via": "cli"}


def test_no_site_user_is_made_where_there_is_one_of_any_name():
    User.objects.create_user("someone")
    assert "Site" not in manage("bootstrap", "--with-site-user").out
    assert User.objects.count() == 1


def test_notes_go_to_stderr():
    assert "The broker is set up." in manage("bootstrap").err


def bootstrap_in_a_thread() -> dict[str, object]:
    out = io.StringIO()
    try:
        call_command("bootstrap", "--json", "--with-site-user", stdout=out, stderr=io.StringIO())
    finally:
        connection.close()
    answer: dict[str, object] = orjson.loads(out.getvalue())
    return answer


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_several_at_once_print_one_key_and_one_password():
    start = Barrier(4)

    def run(_: int) -> dict[str, object]:
        start.wait(timeout=60)
        return bootstrap_in_a_thread()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(run, range(4)))
    [key] = [answer["admin_pak"] for answer in answers if answer["admin_pak"]]
    assert len([answer for answer in answers if answer["site_user"]]) == 1
    assert Api(str(key)).post("/auth/pak").json()["admin"] is True
    assert Pak.objects.filter(role=Role.ADMIN).count() == 1
    assert sorted(Generator.objects.values_list("name", flat=True)) == ["__system__", "admin-generator"]
    assert User.objects.count() == 1


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_one_that_starts_while_another_runs_waits_and_finds_everything_done():
    # There already, so that making it is not what the second one waits for.
    system_generator()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = manage("bootstrap", "--with-site-user", "--json").json
            other = pool.submit(bootstrap_in_a_thread)
            until_it_waits_or_ends(other)
        second = other.result()
    assert first["admin_pak"]
    assert second == {"admin_pak": None, "site_user": None, "registered_agents": 0}
    assert Pak.objects.count() == 1


def test_it_makes_a_key_for_webhooks_once_when_asked_to_and_shows_it_nobody(settings, tmp_path):
    settings.DATA_DIR, settings.WEBHOOK_ENCRYPTION_KEYS = tmp_path, []
    manage("bootstrap")
    assert list(tmp_path.iterdir()) == []
    outcome = manage("bootstrap", "--with-webhook-key")
    key = (tmp_path / "webhook_encryption_key").read_text()
    assert len(bytes.fromhex(key)) == 32
    assert (tmp_path / "webhook_encryption_key").stat().st_mode & 0o777 == 0o600
    assert str(tmp_path) in outcome.err
    assert key not in outcome.out + outcome.err
    manage("bootstrap", "--with-webhook-key")
    assert (tmp_path / "webhook_encryption_key").read_text() == key


def test_it_makes_no_key_for_webhooks_where_one_is_configured(settings, tmp_path):
    settings.DATA_DIR, settings.WEBHOOK_ENCRYPTION_KEYS = tmp_path, [bytes(32)]
    manage("bootstrap", "--with-webhook-key")
    assert list(tmp_path.iterdir()) == []
