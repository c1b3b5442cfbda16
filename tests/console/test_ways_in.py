"""Who opens the broker's address in a browser comes to the control room."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_root_leads_to_the_control_room(operator):
    assert Client().get("/").headers["Location"] == "/admin/"


def test_the_part_that_refreshes_is_refused_without_a_login(operator):
    assert operator.get("room/").status_code == 200
    assert Client().get("/admin/room/").status_code == 403
