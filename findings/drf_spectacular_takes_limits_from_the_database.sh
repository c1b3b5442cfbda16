#!/usr/bin/env bash
# drf-spectacular writes other limits of integers into the OpenAPI document when another database is configured.
#
# Versions: drf-spectacular 0.30.0, Django REST framework 3.18.3, Django 5.2.19, psycopg 3.3.9.
# Behaviour: Django takes the range of an integer from the database that is configured as the default, without asking a server, and
# the document repeats it. With SQLite each integer is one of 64 bits. A document that is generated where tests run therefore
# promises what the service refuses on PostgreSQL, and generated clients get `int64` or a narrower type by where they were made.
# Known for the limits in older releases (issue 962 of drf-spectacular, closed).
# Output seen:
#   sqlite3    priority {"type": "integer", "maximum": 9223372036854775807, "minimum": -9223372036854775808, "format": "int64"}
#   sqlite3    replicas {"type": "integer", "maximum": 9223372036854775807, "minimum": 0, "format": "int64"}
#   sqlite3    takes priority 40000: True
#   postgresql priority {"type": "integer", "maximum": 32767, "minimum": -32768}
#   postgresql replicas {"type": "integer", "maximum": 2147483647, "minimum": 0}
#   postgresql takes priority 40000: False
# seen 2026-11-29
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet drf-spectacular==0.30.0 djangorestframework==3.18.3 django==5.2.19 'psycopg[binary]==3.3.9'

cat > document.py <<'PY'
import json
import sys

import django
from django.conf import settings

engine = sys.argv[1]
settings.configure(
    DATABASES={"default": {"ENGINE": f"django.db.backends.{engine}", "NAME": "unused"}},
    INSTALLED_APPS=["rest_framework", "drf_spectacular"],
    REST_FRAMEWORK={
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
)
django.setup()

from django.db import models
from drf_spectacular.generators import SchemaGenerator
from rest_framework import routers, serializers, viewsets


class Stack(models.Model):
    priority = models.SmallIntegerField()
    replicas = models.PositiveIntegerField()

    class Meta:
        app_label = "stacks"


class StackSerializer(serializers.ModelSerializer):
    class Meta:
        model = Stack
        fields = ["priority", "replicas"]


class Stacks(viewsets.ModelViewSet):
    queryset = Stack.objects.all()
    serializer_class = StackSerializer


router = routers.SimpleRouter()
router.register("stacks", Stacks)
urlpatterns = router.urls

document = SchemaGenerator().get_schema(public=True)
for name, schema in document["components"]["schemas"]["Stack"]["properties"].items():
    print(f"{engine:10}", name, json.dumps(schema))
taken = StackSerializer(data={"priority": 40000, "replicas": 1}).is_valid()
print(f"{engine:10} takes priority 40000:", taken)
PY
for engine in sqlite3 postgresql; do
  env/bin/python document.py "$engine" >> seen.txt 2> errors.txt || { cat errors.txt; exit 1; }
done

diff - seen.txt <<'OUT'
sqlite3    priority {"type": "integer", "maximum": 9223372036854775807, "minimum": -9223372036854775808, "format": "int64"}
sqlite3    replicas {"type": "integer", "maximum": 9223372036854775807, "minimum": 0, "format": "int64"}
sqlite3    takes priority 40000: True
postgresql priority {"type": "integer", "maximum": 32767, "minimum": -32768}
postgresql replicas {"type": "integer", "maximum": 2147483647, "minimum": 0}
postgresql takes priority 40000: False
OUT
