"""The page of a rollout that lists its members, by wave and by what they have made of the version."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from core import clock
from core.admin import BaseAdmin, badge, link, moment, page_of, register_page, shortened
from rollouts.members import Standing, members_with_standing
from rollouts.models import Rollout
from stacks.secret_values import without_secrets

_TONES = {
    Standing.FAILING: "bad",
    Standing.PROVEN: "good",
    Standing.WAITING: "wait",
    Standing.APPLIED: "wait",
}
_HEADERS = ["agent", "wave", "state", "health", "last message", "reported"]


def members(request: HttpRequest, model_admin: BaseAdmin, rollout: Rollout) -> HttpResponse:
    """One page of the members of all waves, or of the wave and the state that the query names."""
    rows = members_with_standing(rollout, now=clock.now())
    waves = rollout.strategy.waves[: rollout.wave]
    numbers = [str(number) for number in range(1, len(waves) + 1)]
    wave = request.GET.get("wave", "")
    if wave in numbers:
        rows = rows.filter(wave=int(wave))
    found = rows.order_by().values_list("standing").annotate(Count("pk"))
    counts = {Standing(name): count for name, count in found}
    state = request.GET.get("state", "")
    if state in Standing.values:
        rows = rows.filter(standing=state)
    page = page_of(request, rows.order_by("wave", "agent__name", "agent__cluster_name", "id"))
    said = without_secrets((rollout.version_id, member.message) for member in page)
    context: dict[str, Any] = {
        "waves": [(number, f"{number}. {rule.name}") for number, rule in zip(numbers, waves, strict=True)],
        # Of the buttons, the overview has those that the rollout's state allows.
        "actions_detail": [],
        "wave": wave if wave in numbers else "",
        "states": [(name.value, name.label, counts[name]) for name in Standing if name in counts],
        "state": state if state in Standing.values else "",
        "all_count": sum(counts.values()),
        "page": page,
        "table": {"headers": _HEADERS, "rows": [_row(*each) for each in zip(page, said, strict=True)]},
    }
    return model_admin.render_page(request, rollout, "rollouts/admin/members.html", context)


def _row(member: Any, message: str) -> list[Any]:
    state = Standing(member.standing)
    return [
        link("agents_agent_change", member.agent.name, member.agent_id),
        member.wave,
        badge(state.label.lower(), _TONES.get(state, "quiet")),
        member.health or "-",
        shortened(message) or "-",
        moment(member.reported_at) or "-",
    ]


register_page(Rollout, "members", "Agents", members, "rollouts.view_rollout")
