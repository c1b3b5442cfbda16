"""The page of a rollout that lists its members, the failing ones first, then by wave."""

from typing import Any

from django.db.models import Case, Count, When
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from core import clock
from core.admin import BaseAdmin, badge, link, moment, page_of, register_page, shortened
from core.admin.chips import chip
from rollouts.members import Standing, members_with_standing
from rollouts.models import Rollout
from stacks.secret_values import without_secrets

_TONES = {
    Standing.FAILING: "bad",
    Standing.PROVEN: "good",
    Standing.WAITING: "wait",
    Standing.APPLIED: "wait",
}
_HEADERS = ["Agent", "Wave", "State", "Health", "Last message", "Reported"]


def members(request: HttpRequest, model_admin: BaseAdmin, rollout: Rollout) -> HttpResponse:
    """One page of the members of all waves, or of the wave and the state that the query names."""
    rows = members_with_standing(rollout, now=clock.now())
    waves = rollout.strategy.waves[: rollout.wave]
    titles = {str(number): f"{number}. {rule.name}" for number, rule in enumerate(waves, start=1)}
    chips = []
    wave = request.GET.get("wave", "")
    if wave in titles:
        rows = rows.filter(wave=int(wave))
        chips.append(chip(request.GET, "wave", titles[wave], ["wave"]))
    found = rows.order_by().values_list("standing").annotate(Count("pk"))
    counts = {Standing(name): count for name, count in found}
    state = request.GET.get("state", "")
    if state in Standing.values:
        rows = rows.filter(standing=state)
        chips.append(chip(request.GET, "state", _label(Standing(state), rollout), ["state"]))
    failing_first = Case(When(standing=Standing.FAILING, then=0), default=1)
    page = page_of(request, rows.order_by(failing_first, "wave", "agent__name", "agent__cluster_name", "id"))
    said = without_secrets((rollout.version_id, member.message) for member in page)
    context: dict[str, Any] = {
        "waves": list(titles.items()),
        # Of the buttons, the overview has those that the rollout's state allows.
        "actions_detail": [],
        "wave": wave if wave in titles else "",
        "states": [(name.value, _label(name, rollout), counts[name]) for name in Standing if name in counts],
        "state": state if state in Standing.values else "",
        "all_count": sum(counts.values()),
        "chips": chips,
        "page": page,
        "table": {
            "headers": _HEADERS,
            "rows": [_row(rollout, *each) for each in zip(page, said, strict=True)],
        },
    }
    return model_admin.render_page(request, rollout, "rollouts/admin/members.html", context)


def _label(state: Standing, rollout: Rollout) -> str:
    return "Not proven" if _is_too_late(state, rollout) else state.label


def _badge(state: Standing, rollout: Rollout) -> SafeString:
    tone = "quiet" if _is_too_late(state, rollout) else _TONES.get(state, "quiet")
    return badge(_label(state, rollout).lower(), tone)


def _is_too_late(state: Standing, rollout: Rollout) -> bool:
    """A rollout that has ended waits for nobody."""
    return rollout.is_final and state == Standing.WAITING


def _row(rollout: Rollout, member: Any, message: str) -> list[Any]:
    return [
        link("agents_agent_change", member.agent.name, member.agent_id),
        member.wave,
        _badge(Standing(member.standing), rollout),
        member.health or "-",
        shortened(message, 160) or "-",
        moment(member.reported_at) or "-",
    ]


register_page(Rollout, "members", "Agents", members, "rollouts.view_rollout")
