"""`manage.py doctor` and its page: exit codes, JSON, and who may see it."""

import pytest
from django.contrib.auth.models import Group, User
from django.core.checks import Error
from django.core.checks import Warning as Caution
from django.db import OperationalError, connection
from django.test import Client

from core import installation_checks
from core.metrics import exposition
from tests.support.admin import staff
from tests.support.commands import manage

pytestmark = pytest.mark.django_db

WRONG = Error("Nothing works.", hint="Repair it.", id="brokkr.all")
ODD = Caution("One thing is odd.", hint="Look.", id="brokkr.odd")


@pytest.fixture
def checks(monkeypatch):
    """Replaces all checks by those that find what is in the list."""
    found: list[object] = []
    monkeypatch.setattr(installation_checks, "_of_process", [lambda: list(found)])
    monkeypatch.setattr(installation_checks, "_of_database", [])
    return found


def test_nothing_wrong_is_exit_code_0(checks):
    done = manage("doctor")
    assert (done.code, done.out) == (0, "1 checks found nothing.\n")


def test_an_error_is_exit_code_1_and_comes_before_warnings(checks):
    checks += [ODD, WRONG]
    done = manage("doctor")
    assert done.code == 1
    assert done.out.index("error: Nothing works. (all)") < done.out.index("warning: One thing is odd. (odd)")


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--fail-level", "WARNING"], 1)])
def test_a_warning_fails_only_when_it_is_asked_to(checks, options, code):
    checks.append(ODD)
    assert manage("doctor", *options).code == code


def test_json_holds_every_finding(checks):
    checks.append(WRONG)
    done = manage("doctor", "--json")
    assert done.code == 1
    assert done.json == [
        {"check": "all", "level": "error", "message": "Nothing works.", "hint": "Repair it."}
    ]


def test_json_of_no_finding_is_an_empty_list(checks):
    assert manage("doctor", "--json").json == []


def test_a_database_that_does_not_answer_is_a_finding(checks, monkeypatch):
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    assert [message.id for message in installation_checks.findings()] == ["brokkr.database_unusable"]


def test_tables_that_lack_are_told_once_and_end_no_other_check(checks, monkeypatch):
    def ask() -> list[Error]:
        raise OperationalError("no such table: paks")

    monkeypatch.setattr(installation_checks, "_of_database", [ask, ask, lambda: [WRONG]])
    assert sorted(str(message.id) for message in installation_checks.findings()) == [
        "brokkr.all",
        "brokkr.database_unusable",
    ]


def test_the_real_checks_find_that_no_worker_runs():
    assert "worker" in [row["check"] for row in manage("doctor", "--json").json]


def test_admins_see_the_findings_on_a_page(checks, operator):
    checks.append(WRONG)
    page = operator.get("installation/").content.decode()
    assert "Nothing works." in page
    assert "Repair it." in page


def test_commands_in_findings_are_code_on_the_page(checks, operator):
    checks.append(Caution("<b> is odd.", hint="Run `manage.py migrate`.", id="brokkr.odd"))
    page = operator.get("installation/").content.decode()
    assert "Run <code>manage.py migrate</code>." in page
    assert "&lt;b&gt; is odd." in page


def test_the_page_says_that_nothing_is_wrong(checks, operator):
    assert "1 checks found nothing." in operator.get("installation/").content.decode()


@pytest.mark.parametrize(
    ("headers", "count", "is_told"), [(True, 0, True), (True, 1, False), (False, 0, False)]
)
def test_the_page_tells_of_a_proxy_through_which_it_was_asked(checks, settings, headers, count, is_told):
    settings.TRUSTED_PROXY_COUNT = count
    user = User.objects.create_superuser("astrid")
    client = Client(headers={"X-Forwarded-For": "192.0.2.7"} if headers else {})
    client.force_login(user)
    page = client.get("/admin/installation/").content.decode()
    assert ("came through a proxy" in page) == is_told


@pytest.mark.parametrize(("group", "status"), [("admin", 200), ("operator", 403), ("viewer", 403)])
def test_of_the_groups_only_admins_see_the_page(checks, group, status):
    pages = staff()
    pages.user.groups.add(Group.objects.get(name=group))
    assert pages.get("installation/").status_code == status


def test_the_metric_of_the_worker_is_infinite_when_there_never_was_one():
    assert b"brokkr_worker_last_seen_age_seconds +Inf" in exposition()
