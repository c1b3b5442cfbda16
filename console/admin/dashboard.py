"""The first page, and the list of deployments behind its numbers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.activity import Hour, last_day
from agents.admin.standing import deployments_table, stack_link
from agents.attention import failing, held, pending, removing, silent
from agents.failures import FailureGroup, most_urgent
from agents.states import serving_counts
from agents.wanted.standing import Standing
from console.chart import chart_of
from console.dashboard import CARDS, Panel, events_url, panels
from console.deployments import DeploymentFilter, StackGroup, by_stack, generator_names, matching, sought_by
from core import clock
from core.admin import ago, link, moment, page_of, shortened, whole_number
from core.admin.chips import chip
from rollouts.admin import running_context
from stacks.models import Stack
from stacks.secret_values import without_secrets

_DEPLOYMENTS = ("agents.view_agent", "stacks.view_stack")
_EVENTS = "agents.view_agentevent"
_ROLLOUTS = "rollouts.view_rollout"
# Agents that begin to fail within this time began together.
_SAME_TIME = timedelta(minutes=1)
ROWS_LISTED = 1_000
ROWS_FILTERED = 5_000
PER_PAGE = 50
# Of so many pages of failures each tells where the next one begins.
_PAGES = 100

_LISTS = {
    Standing.FAILING: (
        failing,
        "Failing",
        "The agent says that the newest version failed. The latest failure first.",
    ),
    Standing.PENDING: (
        pending,
        "Pending",
        "An agent that is active and heard has not reported on the newest version. The latest publication first.",
    ),
    Standing.SILENT: (
        silent,
        "Silent",
        "An agent that is not active, or was not heard in time, has not reported on the newest version.",
    ),
    Standing.HELD: (
        held,
        "Held back",
        "Every version of the stack is held back from the agent, so it should have none.",
    ),
    Standing.REMOVING: (
        removing,
        "Being removed",
        "The stack is deleted, and the agent has not said that it removed what it had deployed.",
    ),
}

_BY_FAILURE, _BY_AGENT, _BY_STACK = "failure", "agent", "stack"
# How the rows may be grouped, with the words for it; the first one is the usual.
_GROUPINGS = {Standing.FAILING: {_BY_FAILURE: "By failure", _BY_AGENT: "By agent"}}
_AGENT_OR_STACK = {_BY_AGENT: "By agent", _BY_STACK: "By stack"}


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    """The cards, the chart and the tables that the user may see."""
    now = clock.now()
    user = request.user
    context: dict[str, Any] = {
        "cards": [ask(now) for permission, ask in CARDS if user.has_perm(permission)],
        "panels": [],
        "chart": None,
        "now": now,
    }
    if user.has_perms(_DEPLOYMENTS):
        context["panels"] = [
            {"panel": panel, "table": _table_of(panel)}
            for panel in panels()
            if panel.count.value or panel.all_is_well
        ]
    if user.has_perm(_EVENTS):
        context["chart"] = chart_of(last_day(now), _events_of)
    if user.has_perm(_ROLLOUTS):
        context |= {"shows_rollouts": True, **running_context(user)}
    return context


def _table_of(panel: Panel) -> dict[str, Any]:
    return failures_table(panel.groups) if panel.groups else deployments_table(panel.rows)


def _events_of(hour: Hour) -> str:
    return events_url(hour.start, hour.start + timedelta(hours=1))


def deployments_view(request: HttpRequest, site_context: dict[str, Any]) -> HttpResponse:
    """The deployments that fail, wait or are being removed, one by one or in groups, of up to ROWS_LISTED rows."""
    if not request.user.has_perms(_DEPLOYMENTS):
        raise PermissionDenied
    query = request.GET.copy()
    asked = query.get("state", "")
    standing = Standing(asked) if asked in {each.value for each in _LISTS} else Standing.FAILING
    query["state"] = standing.value
    ask, title, meaning = _LISTS[standing]
    groupings = _GROUPINGS.get(standing, _AGENT_OR_STACK)
    by = query.get("by", "")
    if by not in groupings:
        by = next(iter(groupings))
    form = DeploymentFilter(query)
    sought = sought_by(form)
    rows: Sequence[Any]
    is_all = True
    if by == _BY_FAILURE:
        number = min(whole_number(query.get("page")) or 1, _PAGES)
        urgent = most_urgent(number * PER_PAGE + 1, sought)
        rows, count, is_capped, is_all = urgent.groups, urgent.deployments, not urgent.is_all, urgent.is_all
    else:
        # What is filtered is looked for among more rows than are listed.
        limit = ROWS_FILTERED if form.chosen else ROWS_LISTED
        asked_for = ask(limit=limit + 1)
        rows = matching(asked_for, sought)[:ROWS_LISTED]
        count, is_capped = len(rows), len(asked_for) > limit or len(rows) == ROWS_LISTED
        rows = by_stack(rows) if by == _BY_STACK else rows
    page = page_of(request, rows, per_page=PER_PAGE)
    context = {
        **site_context,
        "title": "Deployments",
        "subtitle": title,
        "meaning": meaning,
        "states": [(each.value, words[1], each == standing) for each, words in _LISTS.items()],
        "state": standing.value,
        "form": form,
        "generators": generator_names(),
        "chips": [chip(query, title, words, [name]) for name, title, words in form.chosen],
        "no_chips": f"?{urlencode({'state': standing, 'by': by})}",
        "groupings": groupings,
        "by": by,
        "is_capped": is_capped,
        "count": count,
        "is_all": is_all,
        "page": page,
        "table": _TABLES[by](list(page)),
    }
    return TemplateResponse(request, "console/deployments.html", context)


def failures_table(groups: Sequence[FailureGroup]) -> dict[str, Any]:
    """The data of the theme's table, one row for each group. At most three queries."""
    stacks = Stack.objects.in_bulk({group.stack_id for group in groups})
    serving = serving_counts(stacks)
    messages = without_secrets((group.sequence_id, group.message) for group in groups)
    return {
        "headers": ["Stack", "Agents", "Message", "Failing since", "Last seen"],
        "rows": [
            [
                _version_of(stacks[group.stack_id], group.sequence_id),
                link(
                    "stacks_stack_outcomes",
                    f"{group.agents} of {serving.get(group.stack_id, 0)} failing",
                    group.stack_id,
                    query={"state": Standing.FAILING, "failure": group.key},
                ),
                shortened(message, 160) or "no message",
                _began(group),
                moment(group.last_seen),
            ]
            for group, message in zip(groups, messages, strict=True)
        ],
    }


def stacks_table(groups: Sequence[StackGroup]) -> dict[str, Any]:
    """The data of the theme's table, one row for each stack and version that agents wait for, or remove."""
    return {
        "headers": ["Stack", "Agents", "Since"],
        "rows": [
            [
                _version_of(group.stack, group.version),
                link(
                    "stacks_stack_outcomes",
                    f"{group.agents:,} {group.standing.value}",
                    group.stack.pk,
                    query={"state": group.standing.value},
                ),
                moment(group.since) or "-",
            ]
            for group in groups
        ],
    }


def _version_of(stack: Stack, sequence_id: int | None) -> SafeString:
    if sequence_id is None:
        return stack_link(stack)
    version = link("stacks_deploymentobject_change", f"#{sequence_id}", sequence_id)
    return format_html("{} {}", stack_link(stack), version)


def _began(group: FailureGroup) -> SafeString | None:
    """Since when the group fails, and when the last of its agents began to."""
    first = moment(group.first)
    if group.latest - group.first < _SAME_TIME:
        return first
    return format_html('{} <span class="brokkr-exact">newest {}</span>', first, ago(group.latest))


_TABLES: Mapping[str, Callable[[Sequence[Any]], dict[str, Any]]] = {
    _BY_FAILURE: failures_table,
    _BY_AGENT: deployments_table,
    _BY_STACK: stacks_table,
}
