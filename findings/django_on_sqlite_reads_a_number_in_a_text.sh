#!/usr/bin/env bash
# Django reads the text "1.10" inside JSON as the number 1.1 when it asks SQLite for that key alone.
#
# Versions: Django 5.2.19, psycopg 3.3.9, PostgreSQL 16.2 (of pgserver 0.1.4), the SQLite of Python 3.11.
# Behaviour: SQLite gives the text of a key without its quotes, and Django parses whatever text it gets as JSON. So `values` gives
# a number or a list in place of a text that looks like one. The whole document is read right, and a condition on the key tells
# the text from the number. PostgreSQL gives the key as JSON. Django's documentation warns of the texts "true", "false" and
# "null" on SQLite, not of others.
# Output seen:
#   sqlite     the document {'version': '1.10', 'build': '42e1', 'ports': '[80]'}
#   sqlite     its keys ('1.10' is stored: True) (1.1, 420.0, [80])
#   postgresql the document {'build': '42e1', 'ports': '[80]', 'version': '1.10'}
#   postgresql its keys ('1.10' is stored: True) ('1.10', '42e1', '[80]')
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
    labels = models.JSONField()

    class Meta:
        app_label = "stacks"


LABELS = {"version": "1.10", "build": "42e1", "ports": "[80]"}
try:
    for alias in ("default", "postgresql"):
        with connections[alias].schema_editor() as editor:
            editor.create_model(Stack)
        stacks = Stack.objects.using(alias)
        stacks.create(labels=LABELS)
        stored = stacks.filter(labels__version="1.10").exists()
        name = connections[alias].vendor
        print(f"{name:10} the document", stacks.get().labels)
        keys = stacks.values_list("labels__version", "labels__build", "labels__ports").get()
        print(f"{name:10} its keys ('1.10' is stored: {stored})", keys)
    connections.close_all()
finally:
    server.cleanup()
PY

diff - seen.txt <<'OUT'
sqlite     the document {'version': '1.10', 'build': '42e1', 'ports': '[80]'}
sqlite     its keys ('1.10' is stored: True) (1.1, 420.0, [80])
postgresql the document {'build': '42e1', 'ports': '[80]', 'version': '1.10'}
postgresql its keys ('1.10' is stored: True) ('1.10', '42e1', '[80]')
OUT
