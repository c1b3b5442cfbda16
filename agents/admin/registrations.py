from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import Agent, Registration
from agents.services.registrations import deregister_agent, register_agent
from core.admin import CappedPaginator, Created, ServiceAdmin, ago, link, one_line
from core.events import Actor
from generators.models import Generator
from generators.services import lock_generator


@admin.register(Registration)
class RegistrationAdmin(ServiceAdmin):
    """A registration can be added or deleted, but not changed."""

    empty_hint = (
        "A registration says that an agent works for a generator. Add one here, or let the generator register its "
        "agents."
    )
    list_display = ("registered", "agent_name", "cluster", "generator_name")
    list_filter = (("generator", AutocompleteSelectFilter), ("agent", AutocompleteSelectFilter))
    list_select_related = ("agent", "generator")
    search_fields = ("agent__name", "generator__name")
    search_help_text = "Agent or generator"
    ordering = ("-registered_at", "-id")
    autocomplete_fields = ("agent", "generator")
    paginator = CappedPaginator
    # The audit log stores registrations under the agent.
    is_audited = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("agent", "generator") if obj is None else ("agent", "generator", "registered")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "agent":
            kwargs["queryset"] = Agent.objects.active()
        if db_field.name == "generator":
            kwargs["queryset"] = Generator.objects.active().owners()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, registration: Registration) -> str:
        return link("agents_agent_change", registration.agent.name, registration.agent_id)

    @admin.display(description="cluster", ordering="agent__cluster_name")
    def cluster(self, registration: Registration) -> str:
        return one_line(registration.agent.cluster_name)

    @admin.display(description="generator", ordering="generator__name")
    def generator_name(self, registration: Registration) -> str:
        return link("generators_generator_change", registration.generator, registration.generator_id)

    @admin.display(description="registered", ordering="registered_at")
    def registered(self, registration: Registration) -> str | None:
        return ago(registration.registered_at)

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        generator = lock_generator(values["generator"].pk)
        return Created(register_agent(agent_id=values["agent"].pk, generator=generator, actor=actor))

    def rows_touched_by_creation(self, values: dict[str, Any]) -> Sequence[Model]:
        return [values["agent"]]

    def delete(self, *, row: Registration, actor: Actor) -> None:
        deregister_agent(agent_id=row.agent_id, generator=lock_generator(row.generator_id), actor=actor)

    def consequences(self, row: Registration) -> list[str]:
        return ["The agent's explicit targets on the generator's stacks go with it."]
