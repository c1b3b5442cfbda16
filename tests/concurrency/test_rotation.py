"""Keys that are replaced while they are in use."""

from functools import partial

import pytest

from paks.models import Pak
from tests.factories import make_agent, make_generator, make_stack
from tests.support.api import Api, refused
from tests.support.threads import call, together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("make", "noun", "status"), [(make_agent, "agents", 200), (make_generator, "generators", 201)]
)
def test_of_two_rotations_with_one_key_one_succeeds_and_the_other_is_401(make, noun, status):
    owner, api = make()
    for _ in range(4):
        path = f"/{noun}/{owner.id}/rotate-pak"
        responses = together(*(call(api, "POST", path) for _ in range(2)))
        winner, loser = sorted(responses, key=lambda response: response.status_code)
        assert winner.status_code == status
        refused(loser, 401, "unauthorized")
        refused(api.post("/auth/pak"), 401, "unauthorized")
        api = Api(winner.json()["pak"])
        assert api.post("/auth/pak").status_code == 200
        assert Pak.objects.usable().filter(subject_id=owner.id).count() == 1


def test_an_admins_rotation_and_the_agents_own_leave_one_working_key(admin):
    agent, api = make_agent()
    path = f"/agents/{agent.id}/rotate-pak"
    for _ in range(4):
        by_admin, by_agent = together(call(admin, "POST", path), call(api, "POST", path))
        assert by_admin.status_code == 200
        assert by_agent.status_code in {200, 401}
        refused(api.post("/auth/pak"), 401, "unauthorized")
        usable = Pak.objects.usable().get(subject_id=agent.id)
        keys = [Api(answer.json()["pak"]) for answer in (by_admin, by_agent) if answer.status_code == 200]
        working = [key for key in keys if key.post("/auth/pak").status_code == 200]
        assert len(working) == 1
        api = working[0]
        assert usable.short_token == str(api.key).split("_")[1]


def test_requests_under_way_succeed_or_are_401_and_afterwards_the_old_key_is_dead(admin):
    agent, api = make_agent(labels=["a"])
    make_stack(labels=["a"])

    def use(caller: Api) -> list[int]:
        codes = []
        for _ in range(15):
            codes.append(caller.post(f"/agents/{agent.id}/heartbeat").status_code)
            codes.append(caller.get(f"/agents/{agent.id}/target-state").status_code)
        return codes

    def rotate() -> list[int]:
        return [admin.post(f"/agents/{agent.id}/rotate-pak").status_code]

    *uses, rotated = together(*(partial(use, Api(api.key)) for _ in range(2)), rotate)
    assert rotated == [200]
    for codes in uses:
        died = codes.index(401) if 401 in codes else len(codes)
        assert set(codes[:died]) <= {200, 204}
        assert set(codes[died:]) <= {401}
    refused(api.post("/auth/pak"), 401, "unauthorized")
