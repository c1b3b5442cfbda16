"""Migrations of this release let the previous one run on: they keep no request waiting and take nothing away.

One that does so all the same says why: `waits_because = "…"` in its class.
"""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.migration_locks import LockTables
from tests.support.migration_rules import troubles
from tests.support.released import LAST_MIGRATIONS
from tests.support.server import ROOT

IN_USE = {"agents", "stacks"}


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX "a" ON "agents" ("name");',
        'CREATE UNIQUE INDEX "a" ON "agents" ("name") WHERE "name" IS NULL;',
        'ALTER TABLE "agents" ALTER COLUMN "name" TYPE text USING "name"::text;',
        'ALTER TABLE "agents" ALTER COLUMN "name" SET NOT NULL;',
        'ALTER TABLE "agents" ADD CONSTRAINT "a" CHECK ("name" IS NOT NULL);',
        'ALTER TABLE "agents" ADD COLUMN "a" integer NOT NULL UNIQUE DEFAULT 1;',
        'ALTER TABLE "agents" ADD COLUMN "a" integer NOT NULL;',
        'ALTER TABLE "agents" ALTER COLUMN "a" DROP DEFAULT;',
        'ALTER TABLE "agents" DROP COLUMN "a" CASCADE;',
        'ALTER TABLE "agents" RENAME COLUMN "a" TO "b";',
        'ALTER TABLE "agents" RENAME TO "b";',
        'DROP TABLE "agents" CASCADE;',
    ],
)
def test_a_statement_that_keeps_others_waiting_or_takes_something_away_is_refused(statement):
    (found,) = troubles([statement], in_use=IN_USE, locked_first=())
    assert found.startswith("agents: ")
    assert list(troubles([statement], in_use={"stacks"}, locked_first=())) == []


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX CONCURRENTLY "a" ON "agents" ("name");',
        'ALTER TABLE "agents" ADD CONSTRAINT "a" CHECK ("name" IS NOT NULL) NOT VALID;',
        'ALTER TABLE "agents" ADD COLUMN "a" integer NULL;',
        'ALTER TABLE "agents" ADD COLUMN "a" integer DEFAULT 1 NOT NULL;',
        'DROP INDEX IF EXISTS "a";',
    ],
)
def test_a_statement_that_is_over_at_once_is_not(statement):
    assert list(troubles([statement], in_use=IN_USE, locked_first=())) == []


def test_several_tables_must_be_locked_at_once():
    statements = [
        'ALTER TABLE "agents" ADD COLUMN "a" integer NULL;',
        'ALTER TABLE "new" ADD CONSTRAINT "a" FOREIGN KEY ("b") REFERENCES "stacks" ("id");',
    ]
    (found,) = troubles(statements, in_use=IN_USE, locked_first={"agents"})
    assert found.startswith("stacks: ")
    assert list(troubles(statements, in_use=IN_USE, locked_first=IN_USE)) == []


# Statements of a migration without a transaction can be collected outside of one only.
@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_every_migration_of_this_release_keeps_the_rules_or_says_why():
    loader = MigrationLoader(connection, replace_migrations=False)
    in_use = {
        model._meta.db_table
        for model in loader.project_state(sorted(LAST_MIGRATIONS.items())).apps.get_models(
            include_auto_created=True
        )
    }
    assert "deployment_objects" in in_use
    found = {}
    for key, migration in loader.disk_migrations.items():
        app, name = key
        if not (ROOT / app).is_dir() or name <= LAST_MIGRATIONS.get(app, ""):
            continue
        first = migration.operations[0]
        locked = first.tables if isinstance(first, LockTables) else set()
        statements = loader.collect_sql([(migration, False)])
        wrong = list(troubles(statements, in_use=in_use, locked_first=locked))
        if wrong and not getattr(migration, "waits_because", ""):
            found[key] = wrong
        assert wrong or not hasattr(migration, "waits_because"), f"{key} needs no reason"
    assert found == {}, found
