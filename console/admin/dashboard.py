"""The first page, and the list of deployments behind its numbers."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from agents.activity import Hour, last_day
from agents.admin.standing import deployments_table
from agents.attention import failing, pending, removing
from agents.wanted.standing import Standing
from console.chart import chart_of
from console.dashboard import CARDS, events_url, panels
from core.admin import page_of
from rollouts.admin import running_context

_DEPLOYMENTS = ("agents.view_agent", "stacks.view_stack")
_EVENTS = "agents.view_agentevent"
_ROLLOUTS = "rollouts.view_rollout"
ROWS_LISTED = 1_000

_LISTS = {
    Standing.FAILING: (
        failing,
        "Failing",
        "The agent says that the newest version failed. The latest failure first.",
    ),
    Standing.PENDING: (
        pending,
        "Pending",
        "An active agent has not reported on the newest version. The latest publication first.",
    ),
    Standing.REMOVING: (
        removing,
        "Being removed",
        "The stack is deleted, and the agent has not said that it removed what it had deployed.",
    ),
}


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    """The cards, the chart and the tables that the user may see."""
    now = timezone.now()
    user = request.user
    context: dict[str, Any] = {
        "cards": [ask(now) for permission, ask in CARDS if user.has_perm(permission)],
        "panels": [],
        "chart": None,
        "now": now,
    }
    if user.has_perms(_DEPLOYMENTS):
        context["panels"] = [
            {"panel": panel, "table": deployments_table(panel.rows)}
            for panel in panels()
            if panel.rows or panel.all_is_well
        ]
    if user.has_perm(_EVENTS):
        context["chart"] = chart_of(last_day(now), _events_of)
    if user.has_perm(_ROLLOUTS):
        context |= {"shows_rollouts": True, **running_context(user)}
    return context


def _events_of(hour: Hour) -> str:
    return events_url(hour.start, hour.start + timedelta(hours=1))


def deployments_view(request: HttpRequest, site_context: dict[str, Any]) -> HttpResponse:
    """The deployments that fail, wait or are being removed, up to ROWS_LISTED of each."""
    if not request.user.has_perms(_DEPLOYMENTS):
        raise PermissionDenied
    asked = request.GET.get("state", "")
    standing = Standing(asked) if asked in {each.value for each in _LISTS} else Standing.FAILING
    ask, title, meaning = _LISTS[standing]
    rows = ask(limit=ROWS_LISTED + 1)
    page = page_of(request, rows[:ROWS_LISTED])
    context = {
        **site_context,
        "title": "Deployments",
        "subtitle": title,
        "meaning": meaning,
        "states": [(each.value, words[1], each == standing) for each, words in _LISTS.items()],
        "is_capped": len(rows) > ROWS_LISTED,
        "count": min(len(rows), ROWS_LISTED),
        "page": page,
        "table": deployments_table(list(page)),
    }
    return TemplateResponse(request, "console/deployments.html", context)
