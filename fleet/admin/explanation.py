"""The page that explains why an agent has or lacks a stack, reached from the agent and from the stack."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from agents.models import Agent, AgentTarget, StackReport
from core import clock
from core.admin import BaseAdmin, link
from core.admin.widgets import RowSelect
from fleet.checks import CheckName, CheckStatus, Verdict
from fleet.explanation import explain
from inventory.admin.contents import conflict_rows
from stacks.models import Stack

# Django's class takes a parameter for the type checker only.
if TYPE_CHECKING:
    _Rows = forms.ModelChoiceField[Any]
else:
    _Rows = forms.ModelChoiceField

TEMPLATE = "fleet/admin/explain.html"
_TITLES = {
    CheckName.STACK: "Is there something to deploy?",
    CheckName.ASSOCIATION: "Are they associated?",
    CheckName.REGISTRATION: "Is the agent registered?",
    CheckName.AGENT_ACTIVE: "Is the agent active?",
    CheckName.AGENT_SEEN: "Does the agent call?",
    CheckName.CLUSTER: "Does the agent reach its cluster?",
    CheckName.FREEZE: "Does a freeze hold?",
    CheckName.ROLLOUT: "Is a newer version held back?",
    CheckName.OFFER: "Is the version offered to it?",
    CheckName.REPORT: "What did the agent report?",
    CheckName.HEALTH: "Is it healthy?",
}
_ICONS = {CheckStatus.OK: "check_circle", CheckStatus.BLOCKED: "error", CheckStatus.UNKNOWN: "help"}
_GOOD = {Verdict.DEPLOYED, Verdict.REMOVED}
_WAITING = {Verdict.PENDING, Verdict.REMOVAL_PENDING}
# Where the cluster knows more than the broker.
_LOOKED_INTO = {Verdict.FAILED, Verdict.UNHEALTHY}


class AgentForm(forms.Form):
    agent = _Rows(
        queryset=Agent.objects.active().with_heartbeat(),
        widget=RowSelect(AgentTarget._meta.get_field("agent"), admin.site),
    )


class StackForm(forms.Form):
    stack = _Rows(
        # Deleted stacks too, because agents have to remove them.
        queryset=Stack.objects.all(),
        widget=RowSelect(AgentTarget._meta.get_field("stack"), admin.site),
    )


def explain_stack(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """Explains this stack for the agent that the query names."""
    form = AgentForm(request.GET or None)
    agent = form.cleaned_data["agent"] if form.is_valid() else None
    return model_admin.render_page(
        request, stack, TEMPLATE, _context(request, model_admin, form, agent, stack)
    )


def explain_agent(request: HttpRequest, model_admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """Explains the stack that the query names for this agent."""
    form = StackForm(request.GET or None)
    stack = form.cleaned_data["stack"] if form.is_valid() else None
    asked = agent if agent.deleted_at is None else None
    return model_admin.render_page(
        request, agent, TEMPLATE, _context(request, model_admin, form, asked, stack)
    )


def _context(
    request: HttpRequest, model_admin: BaseAdmin, form: forms.Form, agent: Agent | None, stack: Stack | None
) -> dict[str, Any]:
    context: dict[str, Any] = {"form": form, "media": model_admin.media + form.media}
    if agent is not None and stack is not None:
        found = explain(agent=agent, stack=stack, now=clock.now(), reader=None)
        tone = "good" if found.verdict in _GOOD else "wait" if found.verdict in _WAITING else "bad"
        context |= {
            "tone": tone,
            "conclusion": found.conclusion,
            "conflicts": conflict_rows(found.conflicts, known={agent.pk: agent}),
            "checks": [
                (_TITLES[check.name], check.status.value, _ICONS[check.status], check.sentence)
                for check in found.checks
            ],
            "agent_link": link("agents_agent_change", agent, agent.pk),
            "stack_link": link("stacks_stack_change", stack, stack.pk),
            "outcomes_link": link("stacks_stack_outcomes", "What became of it on the other agents", stack.pk),
        }
        if found.verdict in _LOOKED_INTO and request.user.has_perm("diagnostics.add_diagnosticrequest"):
            context["diagnostics_link"] = _diagnostics_link(agent, stack)
    return context


def _diagnostics_link(agent: Agent, stack: Stack) -> SafeString:
    """The form that asks the agent about the version that it reported on last."""
    said = StackReport.objects.filter(agent=agent, stack=stack).values_list("sequence_id", flat=True).first()
    asked = {"agent": agent.pk} | ({"deployment_object": said} if said is not None else {})
    return link("diagnostics_diagnosticrequest_add", "Ask the agent for pods, events and logs", query=asked)
