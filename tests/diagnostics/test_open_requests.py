"""The lane that finds no diagnostics: what it costs, and that the view answers alike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from paks.models import Pak
from tests.factories import make_agent, make_diagnostic, make_object, make_stack
from tests.support.api import Api, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    made = make_agent()
    Pak.objects.filter(subject_id=made[0].id).update(last_used_at=timezone.now())
    return made


def test_finding_none_is_one_statement(agent, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = agent[1].get(f"/agents/{agent[0].id}/diagnostics/pending")
    assert (response.status_code, response.json()) == (200, [])


def test_the_lane_and_the_view_answer_alike(agent, admin):
    path = f"/agents/{agent[0].id}/diagnostics/pending"
    for _ in range(2):
        short, long = agent[1].get(path), admin.get(path)
        assert (short.status_code, short.content) == (long.status_code, long.content)
        for header in ("Content-Type", "Cache-Control"):
            assert short[header] == long[header]
        make_diagnostic(agent[0], make_object(make_stack()))


def test_a_request_that_waits_is_found_and_one_that_has_expired_is_not(agent):
    path = f"/agents/{agent[0].id}/diagnostics/pending"
    obj = make_object(make_stack())
    make_diagnostic(agent[0], obj, now=timezone.now() - timedelta(hours=2))
    assert agent[1].get(path).json() == []
    make_diagnostic(agent[0], obj)
    assert len(agent[1].get(path).json()) == 1


def test_no_other_key_takes_the_lane(agent):
    path = f"/agents/{agent[0].id}/diagnostics/pending"
    mangled = agent[1].key.split("_")
    mangled[1] = "BRwrong1"
    refused(Api("_".join(mangled)).get(path), 401, "unauthorized")
    refused(make_agent()[1].get(path), 403, "agent_pak_mismatch")
    Pak.objects.filter(subject_id=agent[0].id).update(revoked_at=timezone.now())
    refused(agent[1].get(path), 401, "unauthorized")
