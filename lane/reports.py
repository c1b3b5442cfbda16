"""Reports of agents: the lane calls the same services as the views.

The lane answers refusals of the services too: when they come, the key may have ended with its agent.
"""

from typing import Any
from uuid import UUID

from agents.api.serializers import AgentEventSerializer, ReportEventBody, ReportEventsBody
from agents.services.events import Report, report_event, report_events
from core.api.renderers import to_json
from core.api.validation import valid_or_none
from core.errors import DomainError
from core.events import Actor
from lane.ordinary import Ordinary, small_json
from lane.replies import Reply, refusal
from paks.api.caller import author_of
from paks.callers import principal_of


def report(request: Ordinary) -> Reply | None:
    """The answer to one report, or None if the views should answer."""
    body = _body(request, ReportEventBody)
    if body is None or not _is_of(request.resource_id, body):
        return None
    actor = _actor(request)
    if actor is None:
        return None
    try:
        event = report_event(**body, agent_id=request.resource_id, actor=actor)
    except DomainError as error:
        return refusal(error)
    return Reply(201, to_json(AgentEventSerializer(event).data))


def report_batch(request: Ordinary) -> Reply | None:
    """The answer to a batch of reports, or None if the views should answer."""
    body = _body(request, ReportEventsBody)
    if body is None or not all(_is_of(request.resource_id, each) for each in body["events"]):
        return None
    actor = _actor(request)
    if actor is None:
        return None
    reports = [Report(**each) for each in body["events"]]
    try:
        events = report_events(agent_id=request.resource_id, reports=reports, actor=actor)
    except DomainError as error:
        return refusal(error)
    return Reply(201, to_json(AgentEventSerializer(events, many=True).data))


def _body(
    request: Ordinary, serializer_class: type[ReportEventBody | ReportEventsBody]
) -> dict[str, Any] | None:
    value = None if request.query else small_json(request.environ)
    return valid_or_none(serializer_class, value) if isinstance(value, dict) else None


def _is_of(agent_id: UUID, body: dict[str, Any]) -> bool:
    """Whether the agent that the body may name is this one. Takes its name out of the body."""
    named: UUID = body.pop("agent_id", agent_id)
    return named == agent_id


def _actor(request: Ordinary) -> Actor | None:
    """The agent as the author of its reports, if the key is its own."""
    principal = principal_of(request.token, request.address)
    if principal is None or not principal.is_agent(request.resource_id):
        return None
    request.caller = str(principal)
    return author_of(principal, request.environ, request.request_id)
