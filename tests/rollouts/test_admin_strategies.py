"""The editor of strategies and its preview."""

import pytest

from rollouts.models import RolloutStrategy
from rollouts.strategies import FailureBudget, HealthGate, OnFailure, Strategy, Wave
from tests.factories import make_agent, make_stack
from tests.support.admin import actions_by, staff
from tests.support.rollouts import give_strategy, make_scene, make_strategy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

ADD = "rollouts/rolloutstrategy/add/"
HABITS = {"on_failure": "pause", "silent": "deferred", "on_newer": "supersede"}


def wave_fields(number: int, **values: str) -> dict[str, str]:
    defaults = {
        "soak_seconds": "300",
        "health": "if_reported",
        "max_failures": "0",
        "deadline_seconds": "86400",
        "ORDER": str(number + 1),
    }
    return {f"waves-{number}-{name}": value for name, value in (defaults | values).items()}


def sent(*waves: dict[str, str], name: str = "mine", **values: str) -> dict[str, str]:
    fields = {
        "name": name,
        **HABITS,
        **values,
        "waves-TOTAL_FORMS": str(len(waves)),
        "waves-INITIAL_FORMS": "0",
    }
    for number, wave in enumerate(waves):
        fields |= wave_fields(number, **wave)
    return fields


def edit(row: RolloutStrategy) -> str:
    return f"rollouts/rolloutstrategy/{row.pk}/change/"


def test_a_strategy_is_written_as_the_form_says_it(operator):
    first = {
        "name": "canary",
        "labels": "ring=0  ring=1",
        "percent": "10",
        "soak_seconds": "1 min",
        "health": "required",
        "max_failures": "5%",
        "checks": "smoke load",
        "needs_approval": "on",
        "deadline_seconds": "1 h",
    }
    operator.post(ADD, sent(first, {"name": "rest"}, on_failure="roll_back", approval_by_another="on"))
    assert RolloutStrategy.objects.get().strategy == Strategy(
        "mine",
        (
            Wave(
                "canary",
                labels=("ring=0", "ring=1"),
                percent=10,
                soak_seconds=60,
                health=HealthGate.REQUIRED,
                max_failures=FailureBudget(percent=5),
                checks=("smoke", "load"),
                needs_approval=True,
                deadline_seconds=3600,
            ),
            Wave("rest"),
        ),
        on_failure=OnFailure.ROLL_BACK,
        approval_by_another=True,
    )
    assert actions_by(operator.user) == ["rollout_strategy.created"]


def test_the_form_shows_what_is_stored_and_saving_it_changes_nothing(operator):
    make_strategy(Wave("a", count=3, max_failures=FailureBudget(2)), Wave("rest"))
    row = RolloutStrategy.objects.get()
    page = operator.get(edit(row))
    fields = {field.html_name: field.value() for form in page.context["waves"] for field in form}
    fields |= {field.html_name: field.value() for field in page.context["form"]}
    fields |= {field.html_name: field.value() for field in page.context["waves"].management_form}
    before = row.strategy
    operator.post(edit(row), {name: value for name, value in fields.items() if value not in (None, False)})
    row.refresh_from_db()
    assert (row.strategy, row.revision) == (before, 2)


def test_waves_take_the_order_of_their_positions_and_leave_out_what_is_removed(operator):
    waves = (
        {"name": "rest", "ORDER": "9"},
        {"name": "gone", "DELETE": "on"},
        {"name": "first", "count": "1"},
    )
    operator.post(ADD, sent(*waves))
    assert [wave.name for wave in RolloutStrategy.objects.get().strategy.waves] == ["first", "rest"]


@pytest.mark.parametrize(
    ("waves", "words"),
    [
        (({"name": "some", "percent": "10"},), "The last wave must be the rest"),
        (({"name": "a", "count": "1", "percent": "1"}, {"name": "rest"}), "only one of them can bound it"),
        (({"name": "a", "count": "1"}, {"name": "a"}), "Two waves are called"),
        ((), "A strategy has from 1 to 50 waves."),
        (({"name": "a", "count": "1", "checks": "x x"}, {"name": "rest"}), "names a check twice"),
        (({"name": "rest", "max_failures": "many"},), "Enter a valid value."),
        (({"name": "rest", "max_failures": "101%"},), "Enter a valid value."),
        (({"name": "rest", "soak_seconds": "-1"},), "Say how long, such as 30 s, 5 min or 1 d 12 h."),
        (({"name": "a", "labels": "x" * 65}, {"name": "rest"}), "A label has 1 to 64 characters."),
    ],
)
def test_what_is_wrong_with_a_strategy_is_said_in_the_form(operator, waves, words):
    page = operator.post(ADD, sent(*waves))
    assert "Nothing was saved" in page.content.decode()
    assert words in page.content.decode()
    assert not RolloutStrategy.objects.exists()


def test_a_name_that_is_taken_is_refused_and_what_was_typed_stays(operator):
    taken = make_strategy()
    page = operator.post(ADD, sent({"name": "what I typed"}, name=taken.name))
    assert "Something with these values exists already." in page.content.decode()
    assert "what I typed" in page.content.decode()


def test_another_wave_comes_before_the_last_and_nothing_is_saved(operator):
    page = operator.post(ADD, sent({"name": "first", "count": "1"}, {"name": "rest"}) | {"_add_wave": "yes"})
    names = {form["name"].value(): int(form["ORDER"].value()) for form in page.context["waves"]}
    assert names == {"first": 1, "wave 3": 2, "rest": 3}
    assert not RolloutStrategy.objects.exists()


def test_the_preview_says_which_agents_would_be_in_which_wave(operator):
    stack = make_stack(labels=["app"])
    ringed = [make_agent(name=f"ring-{n}", labels=["app", "ring=0"])[0] for n in range(3)]
    for number in range(2):
        make_agent(name=f"plain-{number}", labels=["app"])
    make_agent(name="elsewhere", labels=["ring=0"])
    waves = ({"name": "ring", "labels": "ring=0"}, {"name": "half", "percent": "50"}, {"name": "rest"})
    page = operator.post(ADD, sent(*waves) | {"_preview": "yes", "stack": str(stack.pk)})
    ring, half, rest = (each for each, _, _ in page.context["preview"])
    assert [agent.name for agent in ring.named] == [agent.name for agent in ringed]
    assert (half.matched, half.count, rest.count) == (2, 1, 1)
    assert {agent.name for agent in [*half.named, *rest.named]} == {"plain-0", "plain-1"}
    # None of them has been activated.
    assert ring.absent == 3
    assert not RolloutStrategy.objects.exists()


def test_while_a_rollout_is_running_the_preview_draws_as_the_next_one_will(operator):
    scene = make_scene(agents=6)
    (canary,) = scene.holders(scene.start().version)
    waves = ({"name": "canary", "count": "1"}, {"name": "rest"})
    page = operator.post(ADD, sent(*waves) | {"_preview": "yes", "stack": str(scene.stack.pk)})
    first, _, _ = page.context["preview"][0]
    assert [agent.pk for agent in first.named] == [canary.pk]


def test_a_preview_of_no_stack_asks_for_one(operator):
    page = operator.post(ADD, sent({"name": "rest"}) | {"_preview": "yes", "stack": ""})
    assert "This field is required." in page.content.decode()


def test_a_viewer_reads_and_previews_but_saves_nothing():
    make_strategy()
    row = RolloutStrategy.objects.get()
    stack = make_stack()
    viewer = staff("rollouts.view_rolloutstrategy", "agents.view_agent", "stacks.view_stack")
    page = viewer.get(edit(row)).content.decode()
    assert "What it says" in page
    assert 'name="_save"' not in page
    changed = sent({"name": "rest"})
    assert viewer.post(edit(row), changed).status_code == 403
    assert viewer.post(edit(row), changed | {"_preview": "yes", "stack": str(stack.pk)}).status_code == 200
    row.refresh_from_db()
    assert row.revision == 1


def test_a_strategy_is_changed_only_by_who_may_pass_it_by():
    make_strategy()
    row = RolloutStrategy.objects.get()
    rights = ("rollouts.view_rolloutstrategy", "rollouts.change_rolloutstrategy")
    assert staff(*rights).post(edit(row), sent({"name": "rest"})).status_code == 403
    staff(*rights, "rollouts.bypass", name="ylva").post(edit(row), sent({"name": "rest"}))
    row.refresh_from_db()
    assert [wave.name for wave in row.strategy.waves] == ["rest"]


def test_a_strategy_that_stacks_have_is_not_deleted(operator):
    strategy = make_strategy()
    give_strategy(make_stack(), strategy)
    row = RolloutStrategy.objects.get()
    operator.post(f"rollouts/rolloutstrategy/{row.pk}/delete/", {"post": "yes"})
    row.refresh_from_db()
    assert row.deleted_at is None


def test_a_strategy_of_no_stack_is_deleted(operator):
    make_strategy()
    row = RolloutStrategy.objects.get()
    operator.post(f"rollouts/rolloutstrategy/{row.pk}/delete/", {"post": "yes"})
    row.refresh_from_db()
    assert row.deleted_at is not None
