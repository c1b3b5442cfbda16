"""The page that adds agents, and what it shows afterwards: their keys, what starts them, and who has called."""

import hashlib
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from agents.admin.new_agents import MAX_AGENTS, MAX_CHARACTERS, AgentForm, Line, read_csv
from agents.install import InstallForm, address_of_broker, install_text
from agents.models import Agent
from core.admin import BaseAdmin, admin_actor
from core.api.fields import parse_uuid
from core.errors import DomainError
from core.request_context import context_of

# The ids of so many agents fit into one address.
_WATCHED_AT_ONCE = 50


@never_cache
def add_agents_view(request: HttpRequest, pages: BaseAdmin) -> HttpResponse:
    """One agent by a form, or many by a CSV that is shown before anything is made."""
    if not pages.has_add_permission(request):
        raise PermissionDenied
    context: dict[str, Any] = {"form": AgentForm(), "errors": [], "csv": "", "max_agents": MAX_AGENTS}
    if request.method == "POST" and "csv" in request.POST:
        made = _many(request, context)
    elif request.method == "POST":
        made = _one(request, context)
    else:
        made = []
    if made:
        return _added(request, pages, made)
    return _page(request, pages, "agents/admin/add.html", pages.title_of_adding(request), context)


def hearing_part(request: HttpRequest) -> tuple[str, dict[str, Any], bool]:
    """Which of the agents in the query has called; it goes on until all have."""
    ids = [
        pk for text in request.GET.getlist("id")[:_WATCHED_AT_ONCE] if (pk := parse_uuid(text)) is not None
    ]
    agents = list(Agent.objects.active().with_heartbeat().filter(pk__in=ids).order_by("name", "cluster_name"))
    waits = any(agent.heartbeat.last_heartbeat is None for agent in agents)
    return "agents/admin/hearing.html", {"agents": agents}, waits


def _one(request: HttpRequest, context: dict[str, Any]) -> list[tuple[Agent, str]]:
    form = context["form"] = AgentForm(request.POST)
    if form.is_valid():
        try:
            return [form.create(admin_actor(request))]
        except DomainError as refusal:
            context_of(request).refusal = refusal
            form.add_error(None, refusal.text)
    context["errors"] = [list(errors) for errors in form.errors.values()]
    return []


def _many(request: HttpRequest, context: dict[str, Any]) -> list[tuple[Agent, str]]:
    try:
        text = context["csv"] = _text(request)
        lines = context["lines"] = read_csv(text)
    except ValidationError as error:
        context["errors"] = [error.messages]
        return []
    context["wrong"] = sum(bool(line.errors) for line in lines)
    context["checked"] = hashlib.sha256(text.encode()).hexdigest()
    # What is added is what was shown.
    if context["wrong"] or request.POST.get("checked") != context["checked"]:
        return []
    return _create(request, lines, context)


def _create(request: HttpRequest, lines: list[Line], context: dict[str, Any]) -> list[tuple[Agent, str]]:
    actor, made = admin_actor(request), []
    try:
        with transaction.atomic():
            for line in lines:
                made.append(_create_line(line, actor))
    except DomainError as refusal:
        context_of(request).refusal = refusal
        context["wrong"] = 1
        return []
    return made


def _create_line(line: Line, actor: Any) -> tuple[Agent, str]:
    try:
        return line.form.create(actor)
    except DomainError as refusal:
        line.errors.append(refusal.text)
        raise


def _text(request: HttpRequest) -> str:
    file: Any = request.FILES.get("file")
    if file is None:
        # Browsers send the ends of lines as the standard of forms says.
        return request.POST["csv"].replace("\r\n", "\n")
    if file.size > 4 * MAX_CHARACTERS:
        raise ValidationError(f"The file may have at most {MAX_CHARACTERS:,} characters.")
    try:
        return str(file.read().decode("utf-8-sig")).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValidationError("The file is not in UTF-8.") from error


def _added(request: HttpRequest, pages: BaseAdmin, made: list[tuple[Agent, str]]) -> HttpResponse:
    """The response itself, not a redirect, so the keys are stored nowhere."""
    address = address_of_broker(request)
    agents = [
        {
            "agent": agent,
            "key": key,
            **{
                form.name.lower(): install_text(form, agent=agent, broker_url=address, key=key)
                for form in InstallForm
            },
        }
        for agent, key in made
    ]
    rows = [agent for agent, _ in made]
    parts = [rows[start : start + _WATCHED_AT_ONCE] for start in range(0, len(rows), _WATCHED_AT_ONCE)]
    title = f"{rows[0]} is added" if len(rows) == 1 else f"{len(rows)} agents are added"
    context = {
        "added": agents,
        "parts": [(_watching(part), part) for part in parts],
        "key_note": pages.key_note,
        "back": reverse("admin:agents_agent_changelist"),
    }
    return _page(request, pages, "agents/admin/added.html", title, context)


def _watching(agents: list[Agent]) -> str:
    query = "&".join(f"id={agent.pk}" for agent in agents)
    return f"{reverse('admin:agents_agent_hearing')}?{query}"


def _page(
    request: HttpRequest, pages: BaseAdmin, template: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    common = {
        **pages.admin_site.each_context(request),
        "title": title,
        "opts": pages.opts,
        "media": pages.media,
    }
    return TemplateResponse(request, template, {**common, **context})
