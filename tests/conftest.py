"""Fixtures that every test may use, and what kind of database each test runs on."""

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants
from pytest_django import DjangoDbBlocker

import brokkr_site.urls  # noqa: F401  # with the routes, pages register with the admin, which tests are collected from
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak
from plans import dry_runs
from tests.support import image, kubernetes
from tests.support.admin import AdminPages
from tests.support.api import Api
from tests.support.cluster import Cluster, running_cluster
from tests.support.committed_rows import FreshDatabase
from tests.support.kinds import starts_servers, uses_database
from tests.support.server import AUDIT_KEY, SharedTemplate, Template
from tests.support.shared_rows import shared_rows
from tests.support.world import World, make_world

# The same examples on every run. Neither a deadline nor too_slow, because how fast an example is drawn and runs says
# nothing on a busy machine. Examples share the fixtures of their test, and undo what they change.
hypothesis_settings.register_profile(
    "brokkr",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# Others: --hypothesis-profile=random, with --hypothesis-seed=N those of N.
hypothesis_settings.register_profile(
    "random", hypothesis_settings.get_profile("brokkr"), derandomize=False, database=None
)
hypothesis_settings.load_profile("brokkr")


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """Passwords of people of the admin site are hashed slowly on purpose, but not in tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _no_scan_of_static_files() -> None:
    """Look static files up when they are asked for, but in the servers of live tests. Every client of a test builds
    a chain of middleware, and reading all static files for each takes longer than most tests."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session", autouse=True)
def _patient_plans() -> Iterator[None]:
    """On SQLite too, plans are not given up because the machine has much else to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dry_runs, "_SQLITE_SECONDS", 60)
        yield


@pytest.fixture(scope="session", autouse=True)
def _webhook_key() -> None:
    """Webhooks can be stored, whatever the machine's own data folder holds."""
    settings.WEBHOOK_ENCRYPTION_KEYS = [bytes(32)]


@pytest.fixture(scope="session", autouse=True)
def _audit_key() -> None:
    """The audit log can be sealed, whatever the machine's own data folder holds."""
    settings.AUDIT_SIGNING_KEYS = [bytes.fromhex(AUDIT_KEY)]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database of pytest-django, in which only those tables are emptied that a test has written to."""
    with django_db_blocker.unblock():
        fresh = FreshDatabase()
    empty_all = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # the stubs lack it

    def restore(case: TransactionTestCase) -> None:
        if not fresh.restore():
            empty_all(case)
            fresh.remember()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
        yield


# A variable, because the processes of xdist inherit it.
_TEMPLATE = "BROKKR_TEST_TEMPLATE"


def _is_first_process(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


# After hypothesis has loaded the profile that the command line names.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if hypothesis_settings().derandomize:
        # Among what it draws are the constants in all modules of ours that are imported by then: a change anywhere, or
        # other tests beside it, would give a test other examples.
        HypothesisProvider._local_constants = Constants()  # type: ignore[method-assign,assignment]
    # While tests are collected almost everything stays; looking for garbage takes a quarter of the time.
    gc.disable()
    if _is_first_process(config):
        os.environ[_TEMPLATE] = tempfile.mkdtemp(prefix="brokkr-template-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _is_first_process(config):
        SharedTemplate(Path(os.environ.pop(_TEMPLATE))).remove()


@pytest.fixture(scope="session")
def database_template() -> Template:
    """What the databases of processes that tests start are copied from."""
    return SharedTemplate(Path(os.environ[_TEMPLATE])).get()


_RUN_ONCE = ("no_database", "any_database")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not uses_database(item):
            item.add_marker(pytest.mark.no_database)
            if item.get_closest_marker("any_database"):
                raise pytest.UsageError(
                    f"{item.nodeid} has no database, so any_database would let it run nowhere"
                )
        if "requires_postgres" in item.keywords and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL; this run is on SQLite"))
        if "kubernetes" in item.keywords and not kubernetes.is_complete():
            item.add_marker(pytest.mark.skip(reason="needs the programs of Kubernetes: make kubernetes"))
        if "image" in item.keywords and not image.is_here():
            item.add_marker(pytest.mark.skip(reason="needs the image: make image-check"))
    # The long ones first, so that the processes of a run end together.
    items.sort(key=lambda item: not starts_servers(item))


def pytest_collection_finish() -> None:
    """What is loaded now stays; full garbage collections need not visit it again and again."""
    gc.collect()
    gc.freeze()


# First, so that it is called in the process, too, that has the tests run by others.
@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = (report for kind in terminalreporter.stats.values() for report in kind)
    ran = {
        report.nodeid: next((kind for kind in _RUN_ONCE if kind in report.keywords), "both")
        for report in reports
        if isinstance(report, pytest.TestReport)
    }
    number = Counter(ran.values())
    terminalreporter.write_line(
        f"{number['no_database']} tests without a database, {number['any_database']} for which any database will do, "
        f"{number['both']} that ask each database, here {connection.display_name}"
    )


@pytest.fixture(autouse=True)
def _no_database(request: pytest.FixtureRequest) -> None:
    """Of a test that runs on one kind of database only, because it uses none, no process that it starts has one."""
    if "no_database" in request.node.keywords:
        request.getfixturevalue("monkeypatch").setenv("DATABASE_URL", "sqlite:////nowhere/none.sqlite3")


@pytest.fixture(autouse=True)
def _forget_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Kubernetes API server with a few controllers, which tests share. Each works in a namespace of its own."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def now() -> datetime:
    """A moment, the same during the whole test. Not a constant of a module, which would be as old as the run."""
    return timezone.now()


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One of each thing and of each kind of caller; every test of the module finds it as it was made."""
    with shared_rows(django_db_blocker, make_world) as made:
        yield made


@pytest.fixture
def admin(db: None) -> Api:
    """The API as an admin key sees it."""
    _, key = issue_pak(role=Role.ADMIN, subject_id=None, name="test admin", actor=SYSTEM)
    return Api(key)


@pytest.fixture
def anonymous(db: None) -> Api:
    """The API without a key."""
    return Api(None)


@pytest.fixture
def operator(db: None) -> AdminPages:
    """The admin as a superuser sees it."""
    return AdminPages(User.objects.create_superuser("astrid"))
