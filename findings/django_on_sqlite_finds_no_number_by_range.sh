#!/usr/bin/env bash
# On SQLite, Django finds no number inside JSON by `range`, but texts.
#
# Versions: Django 5.2.19, psycopg 3.3.9, PostgreSQL 16.2 (of pgserver 0.1.4), the SQLite of Python 3.11.
# Behaviour: of the comparisons of a key, `lt`, `lte`, `gt` and `gte` are made for JSON. `range` is left as it is for other fields: it
# hands SQLite the bounds as texts, and there each number is less than each text. `range=(1, 10)` finds no number, and the text "1",
# which lies between the texts "1" and "10". PostgreSQL compares JSON with JSON. The same bounds as `gte` and `lte` find the numbers
# on both. Django's documentation names no limit of `range`, and no report was found.
# Output seen, of {"replicas": 1}, {"replicas": 5}, {"replicas": "1"}:
#   sqlite     range=(1, 10): ['1']
#   sqlite     gte=1, lte=10: [1, 5]
#   postgresql range=(1, 10): [1, 5]
#   postgresql gte=1, lte=10: [1, 5]
# seen 2026-11-29
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

from django.db import connections, models


class Stack(models.Model):
    spec = models.JSONField()

    class Meta:
        app_label = "stacks"


try:
    for alias in ("default", "postgresql"):
        with connections[alias].schema_editor() as editor:
            editor.create_model(Stack)
        stacks = Stack.objects.using(alias).order_by("pk")
        for replicas in (1, 5, "1"):
            stacks.create(spec={"replicas": replicas})
        for name, condition in (
            ("range=(1, 10)", {"spec__replicas__range": (1, 10)}),
            ("gte=1, lte=10", {"spec__replicas__gte": 1, "spec__replicas__lte": 10}),
        ):
            found = [stack.spec["replicas"] for stack in stacks.filter(**condition)]
            print(f"{connections[alias].vendor:10} {name}: {found}")
    connections.close_all()
finally:
    server.cleanup()
PY

diff - seen.txt <<'OUT'
sqlite     range=(1, 10): ['1']
sqlite     gte=1, lte=10: [1, 5]
postgresql range=(1, 10): [1, 5]
postgresql gte=1, lte=10: [1, 5]
OUT
