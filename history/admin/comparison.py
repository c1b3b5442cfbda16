"""The page that compares an agent with itself at another moment, or with another agent."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from agents.models import Agent
from agents.wanted.past import known_since
from core import clock
from core.admin import BaseAdmin, badge, link
from history.admin.forms import ComparisonForm
from history.admin.timeline import version_link
from history.comparison import Difference, Side, compare


def compare_agent(request: HttpRequest, model_admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """The stacks in which the two sides that the query names differ."""
    now = clock.now()
    form = ComparisonForm(request.GET or None)
    context: dict[str, Any] = {
        "form": form,
        "media": model_admin.media + form.media,
        "known_since": known_since(now),
    }
    if form.is_valid():
        asked = form.cleaned_data
        other = asked["other_agent"] or agent
        sides = Side(agent.pk, asked["at"] or now), Side(other.pk, asked["other_at"] or now)
        found = compare(*sides)
        context |= {
            "found": found,
            "left": _title(agent, sides[0]),
            "right": _title(other, sides[1]),
            "table": {
                "headers": ["Stack", "Left", "Right", "Difference"],
                "rows": [
                    [
                        link("stacks_stack_change", each.stack_name, each.stack_id),
                        version_link(each.left) if each.left else "nothing",
                        version_link(each.right) if each.right else "nothing",
                        _difference(each),
                    ]
                    for each in found.differences
                ],
            },
        }
    return model_admin.render_page(request, agent, "history/admin/comparison.html", context)


def _title(agent: Agent, side: Side) -> str:
    return f"{agent.name} at {side.at:%Y-%m-%d %H:%M:%S} UTC"


def _difference(each: Difference) -> object:
    left, right = each.left, each.right
    if any(version is not None and version.is_deletion_marker for version in (left, right)):
        return badge("removal", "bad")
    if left is None or right is None:
        return badge("only right", "good") if left is None else badge("only left", "bad")
    if each.same_content:
        return badge("same text", "quiet")
    versions = {"from": left.sequence_id, "to": right.sequence_id}
    return link("stacks_stack_objects", "another text", each.stack_id, query=versions)
