"""GET /paks: the generators that can own stacks."""

import pytest

from core.events import SYSTEM
from generators.services import delete_generator, ensure_admin_generator, system_generator
from tests.factories import make_agent, make_generator
from tests.support.api import refused

pytestmark = pytest.mark.django_db


def test_it_answers_id_and_name_of_every_tenant(admin):
    system_generator()
    ensure_admin_generator()
    tenant, _ = make_generator("ci")
    gone, _ = make_generator("gone")
    delete_generator(generator=gone, actor=SYSTEM)
    response = admin.get("/paks")
    assert response.status_code == 200
    assert [row["name"] for row in response.json()] == ["admin-generator", "ci"]
    assert response.json()[1] == {"id": str(tenant.id), "name": "ci"}


def test_only_an_admin_may(anonymous):
    refused(anonymous.get("/paks"), 401, "unauthorized")
    for api in (make_generator()[1], make_agent()[1]):
        refused(api.get("/paks"), 403, "admin_required")


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_is_fixed(admin, rows, django_assert_num_queries):
    for _ in range(rows):
        make_generator()
    admin.get("/paks")
    with django_assert_num_queries(2):
        assert len(admin.get("/paks").json()) == rows
