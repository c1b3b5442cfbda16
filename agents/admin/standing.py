"""Deployments as rows of a table, for all pages that list deployments."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.deployments import Deployment, for_people
from agents.models import Agent
from agents.reasons import Reason, Tie
from agents.wanted.standing import Standing
from core.admin import badge, link, moment, one_line, shortened
from stacks.models import Stack

_TONES = {
    Standing.APPLIED: "good",
    Standing.FAILING: "bad",
    Standing.PENDING: "wait",
    Standing.SILENT: "quiet",
    Standing.REMOVING: "wait",
    Standing.HELD: "quiet",
    Standing.EMPTY: "quiet",
}
_WORDS = {Standing.HELD: "held back", Standing.EMPTY: "nothing published"}
_TIES = {Tie.TARGET: "explicit target", Tie.LABEL: "label", Tie.ANNOTATION: "annotation"}


def standing_words(standing: Standing) -> str:
    return _WORDS.get(standing, standing.value)


def standing_badge(standing: Standing) -> SafeString:
    return badge(standing_words(standing), _TONES[standing])


def agent_link(agent: Agent) -> SafeString:
    return format_html(
        '<span>{} <span class="brokkr-where text-subtle">{}</span></span>',
        link("agents_agent_change", agent.name, agent.pk),
        one_line(agent.cluster_name),
    )


def stack_link(stack: Stack) -> SafeString:
    return link("stacks_stack_change", stack.name, stack.pk)


def version_link(deployment: Deployment) -> SafeString | None:
    """The wanted version and, if the agent last reported on another version, that version too."""
    if deployment.newest is None:
        return None
    newest = link("stacks_deploymentobject_change", f"#{deployment.newest}", deployment.newest)
    if deployment.standing not in {Standing.PENDING, Standing.SILENT}:
        return newest
    said = "nothing" if deployment.reported is None else f"#{deployment.reported}"
    return format_html('{} <span class="brokkr-reported text-subtle">reported: {}</span>', newest, said)


def reason_words(reasons: Iterable[Reason]) -> SafeString:
    """Each tie as a part of a sentence."""
    return format_html(
        '<span class="brokkr-reasons">{}</span>',
        format_html_join(
            "",
            "<span>{} {}{}</span>",
            (
                (_TIES[reason.tie], badge(reason.word) if reason.word else "", " held back: not registered")
                if reason.is_held_back
                else (_TIES[reason.tie], badge(reason.word) if reason.word else "", "")
                for reason in reasons
            ),
        ),
    )


def deployments_table(deployments: Sequence[Deployment]) -> dict[str, Any]:
    """The data of the theme's table: the agent, the stack, and how the deployment stands."""
    return {
        "headers": ["Agent", "Stack", "State", "Since", "Version", "Last message"],
        "rows": [
            [
                agent_link(each.agent),
                stack_link(each.stack),
                standing_badge(each.standing),
                moment(each.since) or "-",
                version_link(each) or "-",
                shortened(each.message) or "-",
            ]
            for each in for_people(deployments)
        ],
    }
