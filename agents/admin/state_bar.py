"""How many pairs of an agent and a stack stand how, as a bar with numbers: in lists, and on top of an overview."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.admin.standing import standing_words
from agents.models import Agent
from agents.states import States, states_of_agents, states_of_stacks
from agents.wanted.standing import Standing
from core import clock
from core.admin import register_column
from stacks.models import Stack

# In this order. Their values are the names of the fields too, and what the pages behind the numbers are asked for.
_PARTS = (
    Standing.FAILING,
    Standing.PENDING,
    Standing.SILENT,
    Standing.HELD,
    Standing.APPLIED,
    Standing.EMPTY,
)


def state_bar(states: States, url: str, *, none: str) -> SafeString:
    """The bar. Each number leads to its rows on the page at `url`, which takes a `state`. `none` says that there are no
    such rows at all.
    """
    if not states.total:
        return format_html('<span class="brokkr-state-none">{}</span>', none)
    if states.total == states.empty:
        return format_html('<span class="brokkr-state-none">{}</span>', "nothing published")
    parts = [(each.value, standing_words(each), getattr(states, each.value)) for each in _PARTS]
    shown = [part for part in parts if part[2]]
    bar = format_html_join(
        "",
        '<i class="brokkr-state-{}" style="flex-grow: {}"></i>',
        ((name, count) for name, _, count in shown),
    )
    numbers = SafeString(" ").join(
        format_html(
            '<a class="brokkr-state-{0}" href="{1}?state={0}">{2} {3}</a>', name, url, f"{count:,}", words
        )
        for name, words, count in shown
    )
    return format_html(
        '<span class="brokkr-states"><span class="brokkr-state-bar" aria-hidden="true">{}</span>'
        '<span class="brokkr-state-numbers">{}</span></span>',
        bar,
        SafeString(numbers),
    )


def _of_stacks(stacks: Sequence[Any]) -> Mapping[Any, SafeString]:
    states = states_of_stacks([stack.pk for stack in stacks], clock.now())
    return {
        stack.pk: state_bar(
            states[stack.pk],
            reverse("admin:stacks_stack_outcomes", args=[stack.pk]),
            none="no agent serves it",
        )
        for stack in stacks
        if stack.deleted_at is None
    }


def _of_agents(agents: Sequence[Any]) -> Mapping[Any, SafeString]:
    states = states_of_agents([agent.pk for agent in agents], clock.now())
    return {
        agent.pk: state_bar(
            states[agent.pk], reverse("admin:agents_agent_stacks", args=[agent.pk]), none="serves no stack"
        )
        for agent in agents
        if agent.deleted_at is None
    }


register_column(Stack, "state", "state of its agents", _of_stacks, "agents.view_agent")
register_column(Agent, "state", "state of its stacks", _of_agents, "stacks.view_stack")
