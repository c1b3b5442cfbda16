"""The page of a rollout, its buttons, the list, and what stacks and the first page show of rollouts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from rollouts.models import Rollout, RolloutState
from tests.factories import make_agent, make_event, make_health
from tests.support.admin import actions_by, messages_of, staff
from tests.support.rollouts import make_scene, state_of, wave

pytestmark = pytest.mark.django_db

LOOKING = ("rollouts.view_rollout", "stacks.view_stack", "agents.view_agent")
YES = {"confirmed": "yes", "reason": "because"}


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def rollout(scene):
    return scene.start()


def page_of(rollout: Rollout) -> str:
    return f"rollouts/rollout/{rollout.pk}/change/"


def button(rollout: Rollout, name: str) -> str:
    return f"rollouts/rollout/{rollout.pk}/{name}/"


def buttons_on(page) -> list[str]:
    return [each.name for each, _ in page.context["buttons"]]


def figures_of(page, number: int) -> dict[str, int]:
    return {each.name: each.count for each in page.context["columns"][number - 1].figures}


def test_the_page_counts_the_members_of_each_wave_by_what_they_report():
    scene = make_scene(wave("most", count=5), wave(), agents=6)
    rollout = scene.start()
    members = scene.holders(rollout.version)
    scene.report(members[:2], rollout.version)
    make_health(members[0], rollout.version)
    scene.report(members[2:3], rollout.version, "FAILURE")
    page = staff(*LOOKING).get(page_of(rollout))
    assert figures_of(page, 1) == {"applied": 2, "healthy": 1, "failing": 1, "waiting": 2, "deferred": 0}
    bar = page.context["columns"][0].bar
    assert [(each.name, each.start, each.count) for each in bar] == [
        ("healthy", 0, 1),
        ("applied", 1, 1),
        ("failing", 2, 1),
        ("waiting", 3, 2),
    ]
    assert figures_of(page, 2) == {}
    assert page.context["held_back"] == 1
    assert "Wave 1 waits for" in page.content.decode()


def test_reports_about_an_older_version_count_for_nothing(scene):
    scene.report(scene.agents, scene.first)
    rollout = scene.start()
    assert figures_of(staff(*LOOKING).get(page_of(rollout)), 1)["applied"] == 0


def test_failing_agents_are_grouped_by_what_they_say():
    scene = make_scene(wave("most", count=5, max_failures=wave().max_failures), wave(), agents=6)
    rollout = scene.start()
    scene.report(scene.holders(rollout.version)[:3], rollout.version, "FAILURE")
    page = staff(*LOOKING).get(page_of(rollout))
    (group,) = page.context["failures"]
    assert (group.message, group.count, group.more) == ("no such image", 3, 0)


def test_what_has_ended_shows_what_was_proven_whatever_agents_say_later(scene, rollout):
    scene.prove(scene.prove(rollout))
    assert state_of(rollout) == RolloutState.SUCCEEDED
    page = staff(*LOOKING).get(page_of(rollout))
    assert [column.proven for column in page.context["columns"]] == [1, 3]
    assert "every 10s" not in page.content.decode()


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ((), []),
        (("rollouts.change_rollout",), ["pause", "roll_back", "abort"]),
        (("rollouts.bypass",), ["skip"]),
        (("rollouts.approve",), []),
    ],
)
def test_each_right_has_its_buttons(rollout, rights, expected):
    assert buttons_on(staff(*LOOKING, *rights).get(page_of(rollout))) == expected


@pytest.mark.parametrize(
    ("name", "state", "word"),
    [
        ("pause", RolloutState.PAUSED, "rollout.paused"),
        ("abort", RolloutState.ABORTED, "rollout.aborted"),
        ("skip", RolloutState.SUCCEEDED, "rollout.succeeded"),
        ("roll_back", RolloutState.ROLLED_BACK, "rollout.rolled_back"),
    ],
)
def test_a_button_asks_why_and_then_does_it(operator, rollout, name, state, word):
    asked = operator.get(button(rollout, name))
    assert b'name="reason"' in asked.content
    assert state_of(rollout) == RolloutState.PROGRESSING
    operator.post(button(rollout, name), YES)
    rollout.refresh_from_db()
    assert (rollout.state, rollout.reason, rollout.changed_by) == (state, "because", operator.user.username)
    assert word in actions_by(operator.user)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_reason_nothing_happens_and_it_is_asked_again(operator, rollout, reason):
    page = operator.post(button(rollout, "pause"), YES | {"reason": reason})
    assert messages_of(page) == ["Say why, in 1 to 500 characters."]
    assert b'name="reason"' in page.content
    assert state_of(rollout) == RolloutState.PROGRESSING


def test_a_paused_rollout_is_resumed(operator, rollout):
    operator.post(button(rollout, "pause"), YES)
    assert buttons_on(operator.get(page_of(rollout))) == ["resume", "roll_back", "skip", "abort"]
    operator.post(button(rollout, "resume"), YES)
    assert state_of(rollout) == RolloutState.PROGRESSING


def test_what_the_service_refuses_is_a_message(operator, rollout):
    page = operator.post(button(rollout, "resume"), YES)
    assert messages_of(page) == ["The rollout is in a state that does not allow it."]


@pytest.fixture
def asking():
    """A rollout whose second and third wave want approval, and that waits for the second."""
    scene = make_scene(
        wave("one", count=1), wave("two", count=1, needs_approval=True), wave(needs_approval=True)
    )
    return scene, scene.prove(scene.start())


def test_a_wave_is_approved_by_its_number(operator, asking):
    scene, rollout = asking
    assert buttons_on(operator.get(page_of(rollout)))[0] == "approve"
    assert b'name="about" value="2"' in operator.get(button(rollout, "approve")).content
    operator.post(button(rollout, "approve"), YES | {"about": "2"})
    assert scene.tick(rollout).wave == 2
    assert "Approved by astrid: because" in operator.get(page_of(rollout)).content.decode()


@pytest.mark.parametrize("number", ["1", "3", "", "x", "-2", "²"])
def test_another_wave_than_the_one_that_waits_is_not_approved(operator, asking, number):
    _, rollout = asking
    page = operator.post(button(rollout, "approve"), YES | {"about": number})
    assert messages_of(page) == ["That wave is not the one that waits for approval."]
    assert state_of(rollout) == RolloutState.WAITING_FOR_APPROVAL


def test_the_part_that_refreshes_is_the_page_without_what_is_around_it(rollout):
    viewer = staff(*LOOKING)
    part = viewer.get(f"rollouts/rollout/{rollout.pk}/live/")
    assert part.status_code == 200
    assert b"<html" not in part.content
    assert b'id="rollout-sentence"' in part.content


def test_refreshing_ends_with_the_rollout(operator, rollout):
    operator.post(button(rollout, "abort"), YES)
    assert operator.get(f"rollouts/rollout/{rollout.pk}/live/").status_code == 286


@pytest.mark.parametrize("path", ["rollouts/rollout/{}/live/", "rollouts/rollout/running/"])
def test_who_may_not_look_is_refused_the_parts_and_not_sent_to_the_login_page(client, rollout, path):
    where = path.format(rollout.pk)
    assert staff().get(where).status_code == 403
    assert client.get(f"/admin/{where}").status_code == 403


def test_a_part_of_no_rollout_is_not_found(operator):
    assert operator.get("rollouts/rollout/0190f000-0000-7000-8000-000000000000/live/").status_code == 404


def test_the_page_costs_the_same_queries_for_any_number_of_agents_and_waves(operator):
    def queries(agents: int, waves: int) -> list[str]:
        # The agents of the first scene serve the second stack too. They do not fill a wave of four.
        scene = make_scene(*(wave(f"w{n}", count=4) for n in range(waves)), wave(), agents=agents)
        rollout = scene.start()
        scene.report(scene.holders(rollout.version)[:1], rollout.version, "FAILURE")
        operator.get(page_of(rollout))
        with CaptureQueriesContext(connection) as captured:
            operator.get(page_of(rollout))
        # Of each statement, its beginning: what it reads.
        return [each["sql"].strip()[:60].partition("_curs_")[0] for each in captured]

    assert queries(3, 1) == queries(20, 4)


def test_the_list_filters_by_state(operator, scene, rollout):
    last = make_scene().start()
    operator.post(button(last, "skip"), YES)
    everything = operator.get("rollouts/rollout/")
    assert everything.context["cl"].result_count == 2
    for state, expected in (("unfinished", rollout), ("progressing", rollout), ("succeeded", last)):
        (found,) = operator.get("rollouts/rollout/", state=state).context["cl"].result_list
        assert found.pk == expected.pk
    assert "0 of 1" in operator.get("rollouts/rollout/", state="succeeded").content.decode()


def test_the_first_page_shows_what_is_under_way_and_what_is_paused(operator, rollout):
    other = make_scene().start()
    operator.post(button(other, "pause"), YES)
    operator.post(button(make_scene().start(), "abort"), YES)
    page = operator.get("")
    assert {each.pk for each in page.context["running"]} == {rollout.pk, other.pk}
    assert "because" in page.content.decode()
    part = operator.get("rollouts/rollout/running/").content.decode()
    assert f"/admin/rollouts/rollout/{other.pk}/change/" in part


def test_the_first_page_says_nothing_of_rollouts_to_those_who_may_not_see_them(rollout):
    assert "Rollouts under way" not in staff("stacks.view_stack").get("").content.decode()


def test_a_stacks_page_shows_its_rollout_and_those_before(operator, scene, rollout):
    newer = scene.start("a: 3")
    page = operator.get(f"stacks/stack/{scene.stack.pk}/rollouts/")
    assert page.context["rollout"].pk == newer.pk
    assert buttons_on(page) == ["pause", "roll_back", "skip", "abort"]
    assert [each.pk for each in page.context["listed"]] == [newer.pk, rollout.pk]


def test_deferred_agents_are_named_apart():
    scene = make_scene(wave())
    make_agent(active=False, labels=["app"])
    page = staff(*LOOKING).get(page_of(scene.start()))
    assert (figures_of(page, 1)["deferred"], figures_of(page, 1)["waiting"]) == (1, 4)


def members_on(page) -> list[tuple[str, str, str]]:
    """Agent, state and message of each row, without their links and badges."""
    rows = page.context["table"]["rows"]
    return [
        (strip_tags(str(row[0])), strip_tags(str(row[2])).strip(), strip_tags(str(row[4]))) for row in rows
    ]


def test_the_agents_of_a_wave_are_listed_with_their_state_and_message():
    scene = make_scene(wave("some", count=2), wave(), agents=4)
    rollout = scene.start()
    good, bad = sorted(scene.holders(rollout.version), key=lambda agent: agent.name)
    scene.report([good], rollout.version)
    make_event(bad, rollout.version, "FAILURE", message="no such image")
    path = f"rollouts/rollout/{rollout.pk}/members/"
    user = staff(*LOOKING)
    assert members_on(user.get(f"{path}?wave=1")) == [
        (bad.name, "failing", "no such image"),
        (good.name, "applied", "-"),
    ]
    assert [row[0] for row in members_on(user.get(f"{path}?wave=1&state=failing"))] == [bad.name]
    assert path in user.get(page_of(rollout)).content.decode()


def test_those_that_fail_come_first_whatever_their_wave_and_name():
    scene = make_scene(wave("some", count=2), wave(), agents=4)
    rollout = scene.start()
    scene.prove(rollout)
    members = members_on(staff(*LOOKING).get(f"rollouts/rollout/{rollout.pk}/members/"))
    last = next(agent for agent in scene.agents if agent.name == members[-1][0])
    scene.report([last], rollout.version, "FAILURE")
    found = members_on(staff(*LOOKING, name="ylva").get(f"rollouts/rollout/{rollout.pk}/members/"))
    assert found[0][:2] == (last.name, "failing")
    assert [row[0] for row in found[1:]] == [row[0] for row in members[:-1]]


def test_the_agents_of_a_wave_come_in_pages_at_a_fixed_number_of_queries():
    scene = make_scene(wave(), agents=52)
    rollout = scene.start()
    path, user = f"rollouts/rollout/{rollout.pk}/members/", staff(*LOOKING)
    with CaptureQueriesContext(connection) as of_first:
        assert len(members_on(user.get(path))) == 50
    with CaptureQueriesContext(connection) as of_second:
        assert len(members_on(user.get(f"{path}?page=2"))) == 2
    assert len(of_first) == len(of_second)


def test_who_may_not_look_at_rollouts_does_not_see_their_agents(rollout):
    assert staff("agents.view_agent").get(f"rollouts/rollout/{rollout.pk}/members/").status_code == 403


def test_a_wave_and_a_state_that_are_chosen_are_chips_that_remove_them():
    rollout = make_scene(wave("some", count=2), wave(), agents=4).start()
    page = staff(*LOOKING).get(f"rollouts/rollout/{rollout.pk}/members/", wave="1", state="waiting")
    words = page.content.decode()
    assert 'href="?state=waiting" aria-label="Remove the filter Wave: 1.' in words
    assert 'href="?wave=1" aria-label="Remove the filter State: ' in words


def test_nobody_is_waiting_when_the_rollout_has_ended(operator, rollout):
    path = f"rollouts/rollout/{rollout.pk}/members/"
    assert {row[1] for row in members_on(operator.get(path))} == {"waiting"}
    operator.post(button(rollout, "abort"), YES)
    assert {row[1] for row in members_on(operator.get(path))} == {"not proven"}


def test_the_plan_of_a_roll_back_says_why_its_version_is_held(operator, rollout):
    page = operator.get(button(rollout, "roll_back")).content.decode()
    assert "held: brings the previous content back, in place of a newer one." in page
