"""/rollout-strategies, and /stacks/{id}/rollout-strategy."""

from uuid import uuid4

import pytest

from rollouts.models import RolloutStrategy, StackRolloutStrategy
from tests.factories import make_generator, make_stack
from tests.support.api import refused
from tests.support.events import recorded_events
from tests.support.rollouts import give_strategy, make_strategy, wave

pytestmark = pytest.mark.django_db

PATH = "/rollout-strategies"
REST = {"name": "rest"}


def create(admin, **fields):
    return admin.post(PATH, {"name": "careful", "waves": [REST]} | fields)


def test_what_is_left_out_has_its_default(admin):
    answer = create(admin, waves=[{"name": "canary", "count": 1}, REST])
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["waves"][0] == {
        "name": "canary",
        "labels": [],
        "percent": None,
        "count": 1,
        "soak_seconds": 300,
        "health": "if_reported",
        "max_failures": 0,
        "checks": [],
        "needs_approval": False,
        "deadline_seconds": 86_400,
    }
    assert (body["on_failure"], body["silent"], body["on_newer"]) == ("pause", "deferred", "supersede")
    assert (body["approval_by_another"], body["revision"], body["warnings"]) == (False, 1, [])


def test_everything_that_is_said_is_kept(admin):
    waves = [
        {
            "name": "eu",
            "labels": ["region=eu", "ring=0"],
            "percent": 20,
            "count": None,
            "soak_seconds": 5,
            "health": "required",
            "max_failures": "10%",
            "checks": ["smoke-test"],
            "needs_approval": True,
            "deadline_seconds": 60,
        },
        REST,
    ]
    rules = {
        "on_failure": "roll_back",
        "silent": "required",
        "on_newer": "queue",
        "approval_by_another": True,
    }
    body = create(admin, waves=waves, **rules).json()
    assert body["waves"][0] == waves[0]
    assert {name: body[name] for name in rules} == rules
    assert len(body["warnings"]) == 1
    assert admin.get(f"{PATH}/{body['id']}").json() == body


@pytest.mark.parametrize(
    "waves",
    [
        [],
        [{"name": "canary", "count": 1}],
        [{"name": "one", "count": 1, "percent": 5}, REST],
        [REST, REST],
    ],
)
def test_waves_that_cannot_be_used_are_refused(admin, waves):
    refused(create(admin, waves=waves), 400, "invalid_rollout_strategy")


@pytest.mark.parametrize("name", ["", "none"])
def test_a_name_that_means_something_else_is_refused(admin, name):
    refused(create(admin, name=name), 400, "invalid_rollout_strategy")


@pytest.mark.parametrize(
    "rules",
    [
        {"percent": 0},
        {"percent": 101},
        {"count": 0},
        {"count": True},
        {"labels": ["two words"]},
        {"labels": "ring=0"},
        {"max_failures": -1},
        {"max_failures": "101%"},
        {"max_failures": "5"},
        {"max_failures": 1.5},
        {"max_failures": True},
        {"checks": ["a/b"]},
        {"soak_seconds": -1},
        {"deadline_seconds": 0},
        {"health": "always"},
        {"needs_approval": "yes"},
        {"name": 7},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_form_is_refused(admin, rules):
    body = refused(create(admin, waves=[{"name": "first"} | rules, REST]), 422, "invalid_request_body")
    assert "waves" in body["message"]


@pytest.mark.parametrize(("sent", "kept"), [(3.0, 3), (0.0, 0), ("3%", "3%")])
def test_a_budget_is_any_spelling_of_a_whole_number_or_a_share(admin, sent, kept):
    answer = create(admin, waves=[REST | {"max_failures": sent}])
    assert answer.status_code == 201, answer.content
    assert answer.json()["waves"][0]["max_failures"] == kept


@pytest.mark.parametrize("sent", [2.5, -1, True, "3", "101%", None, []])
def test_a_budget_that_is_neither_is_refused(admin, sent):
    refused(create(admin, waves=[REST | {"max_failures": sent}]), 422, "invalid_request_body")


def test_a_name_is_used_once(admin):
    create(admin)
    refused(create(admin), 409, "unique_violation")


def test_a_create_that_is_repeated_happens_once(admin):
    headers = {"Idempotency-Key": "once"}
    body = {"name": "careful", "waves": [REST]}
    first, again = (admin.post(PATH, body, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert RolloutStrategy.objects.called("careful").count() == 1


def test_only_what_is_named_changes(admin):
    made = create(admin, on_failure="roll_back").json()
    answer = admin.put(f"{PATH}/{made['id']}", {"on_newer": "queue"})
    changed = {name: value for name, value in answer.json().items() if made[name] != value}
    assert changed.keys() == {"on_newer", "revision", "updated_at"}
    assert (changed["on_newer"], changed["revision"]) == ("queue", 2)


def test_what_was_read_can_be_written_back(admin):
    made = create(admin).json()
    answer = admin.put(f"{PATH}/{made['id']}", made | {"name": "bold"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["name"] == "bold"


def test_a_change_or_deletion_of_an_older_state_is_refused(admin):
    path = f"{PATH}/{create(admin).json()['id']}"
    stale = {"If-Match": admin.get(path).headers["ETag"]}
    assert admin.put(path, {"on_newer": "queue"}, headers=stale).status_code == 200
    refused(admin.put(path, {"on_newer": "supersede"}, headers=stale), 412, "precondition_failed")
    refused(admin.delete(path, headers=stale), 412, "precondition_failed")
    assert admin.delete(path, headers={"If-Match": admin.get(path).headers["ETag"]}).status_code == 204
    refused(admin.get(path), 404, "rollout_strategy_not_found")


def test_a_strategy_in_use_is_not_deleted(admin):
    strategy = make_strategy()
    give_strategy(make_stack(), strategy)
    row = RolloutStrategy.objects.get(name=strategy.name)
    body = refused(admin.delete(f"{PATH}/{row.pk}"), 409, "rollout_strategy_in_use")
    assert body["details"] == {"stacks": 1}


@pytest.mark.parametrize("rows", [1, 12])
def test_a_list_costs_two_queries(admin, rows, django_assert_num_queries):
    for _ in range(rows):
        make_strategy()
    admin.get(PATH)
    with django_assert_num_queries(2):
        assert len(admin.get(PATH).json()) == rows


def test_a_list_comes_in_pages_by_name(admin):
    names = sorted(make_strategy().name for _ in range(3))
    first = admin.get(f"{PATH}?limit=2&count=true")
    assert first.headers["X-Total-Count"] == "3"
    rest = admin.get(first.headers["Link"].split(">")[0].removeprefix("</api/v1"))
    assert [row["name"] for row in first.json() + rest.json()] == names


@pytest.fixture
def owned():
    generator, api = make_generator()
    return make_stack(generator), api


def test_a_generator_gives_its_stack_a_strategy_by_name_or_id(owned):
    stack, owner = owned
    strategy = RolloutStrategy.objects.get(name=make_strategy().name)
    path = f"/stacks/{stack.pk}/rollout-strategy"
    refused(owner.get(path), 404, "stack_has_no_strategy")
    for name in (strategy.name, str(strategy.pk)):
        answer = owner.put(path, {"strategy": name})
        assert answer.json() == owner.get(path).json()
        assert (answer.json()["strategy"], answer.json()["strategy_id"]) == (strategy.name, str(strategy.pk))


def test_only_an_admin_changes_or_removes_it_and_says_why(admin, owned):
    stack, owner = owned
    first, other = make_strategy(), make_strategy(wave())
    give_strategy(stack, first)
    path, change = f"/stacks/{stack.pk}/rollout-strategy", {"strategy": other.name}
    refused(owner.put(path, change | {"reason": "mine"}), 403, "rollout_bypass_denied")
    refused(owner.delete(path, {"reason": "mine"}), 403, "rollout_bypass_denied")
    refused(admin.put(path, change), 400, "reason_required")
    refused(admin.delete(path), 400, "reason_required")
    assert admin.put(path, change | {"reason": "rings"}).json()["strategy"] == other.name
    with recorded_events() as events:
        assert admin.delete(path, {"reason": "no more"}).status_code == 204
    assert [(event.kind, event.details["reason"]) for event in events] == [
        ("stack.strategy_removed", "no more")
    ]
    assert not StackRolloutStrategy.objects.exists()


def test_the_strategy_of_a_stack_has_a_tag_and_a_change_may_name_it(admin, owned):
    stack, _ = owned
    strategies = [make_strategy(), make_strategy(wave())]
    path = f"/stacks/{stack.pk}/rollout-strategy"

    def put(strategy, tag):
        return admin.put(path, {"strategy": strategy.name, "reason": "rings"}, headers={"If-Match": tag})

    refused(put(strategies[0], "*"), 412, "precondition_failed")
    admin.put(path, {"strategy": strategies[0].name})
    tag = admin.get(path).headers["ETag"]
    assert admin.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert put(strategies[1], tag).status_code == 200
    refused(put(strategies[0], tag), 412, "precondition_failed")
    refused(admin.delete(path, {"reason": "x"}, headers={"If-Match": tag}), 412, "precondition_failed")
    assert admin.get(path).json()["strategy"] == strategies[1].name


def test_a_strategy_that_is_not_there_is_not_found(admin, owned):
    path = f"/stacks/{owned[0].pk}/rollout-strategy"
    for name in ("nobody", str(uuid4())):
        refused(admin.put(path, {"strategy": name}), 404, "rollout_strategy_not_found")
