#!/usr/bin/env bash
# Django turns a number's `Coalesce` into text on PostgreSQL when a queryset in it is known to be empty.
#
# Versions: Django 5.2.19, psycopg 3.3.9, PostgreSQL 16.2 (of pgserver 0.1.4).
# Behaviour: Django does not ask for `none()` and writes NULL in its place. The type is lost, and PostgreSQL takes
# COALESCE(NULL, NULL) for text, which has no comparison with bigint. `output_field` does not help. SQLite has no such types and
# answers, so tests on it show nothing.
# Output seen:
#   sqlite     number > (COALESCE(NULL, NULL)): 0 rows
#   postgresql number > (COALESCE(NULL, NULL)): operator does not exist: bigint > text
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet django==5.2.19 'psycopg[binary]==3.3.9' pgserver==0.1.4

env/bin/python > seen.txt 2> errors.txt <<'PY' || { cat errors.txt; exit 1; }
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import django
import pgserver
from django.conf import settings

server = pgserver.get_server(Path(tempfile.mkdtemp(dir=".")).resolve())
settings.configure(
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": parse_qs(urlsplit(server.get_uri()).query)["host"][0],
        },
    },
)
django.setup()

from django.db import DatabaseError, connections, models
from django.db.models.functions import Coalesce


class Row(models.Model):
    number = models.BigIntegerField()

    class Meta:
        app_label = "rows"


newest = models.Subquery(Row.objects.none().values("number"))
wanted = Coalesce(newest, models.Value(None), output_field=models.BigIntegerField())
try:
    for alias in ("default", "postgresql"):
        with connections[alias].schema_editor() as editor:
            editor.create_model(Row)
        rows = Row.objects.using(alias).filter(number__gt=wanted)
        condition = str(rows.query).rpartition(".")[2].replace('"', "")
        try:
            answer = f"{len(rows)} rows"
        except DatabaseError as error:
            answer = str(error).splitlines()[0]
        print(f"{connections[alias].vendor:10} {condition}: {answer}")
    connections.close_all()
finally:
    server.cleanup()
PY

diff - seen.txt <<'OUT'
sqlite     number > (COALESCE(NULL, NULL)): 0 rows
postgresql number > (COALESCE(NULL, NULL)): operator does not exist: bigint > text
OUT
