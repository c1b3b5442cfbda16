"""The tables of an agent's page that show what ties it to stacks and generators."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from agents.models import AgentTarget, Registration
from agents.services.agents import lock_agent
from agents.services.registrations import deregister_agent, register_agent
from agents.services.targets import add_target, remove_target
from core.admin import ServiceFormSet, ServiceInline
from core.events import Actor
from generators.models import Generator
from generators.services import lock_generator
from stacks.models import Stack
from stacks.services import lock_stack


class _TargetFormSet(ServiceFormSet):
    def lock_others(self) -> None:
        touched = {row.stack_id for row in self.removed_rows()} | {
            values["stack"].pk for values in self.added_values()
        }
        for stack_id in sorted(touched):
            lock_stack(stack_id)

    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        add_target(agent=lock_agent(self.instance.pk), stack=lock_stack(values["stack"].pk), actor=actor)

    def remove_row(self, *, row: AgentTarget, actor: Actor) -> None:
        remove_target(agent_id=self.instance.pk, stack=lock_stack(row.stack_id), actor=actor)


class TargetInline(ServiceInline):
    model = AgentTarget
    formset = _TargetFormSet
    verbose_name = "target"
    fields = ("stack",)
    autocomplete_fields = ("stack",)
    ordering = ("stack__name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentTarget]:
        rows: QuerySet[AgentTarget] = super().get_queryset(request)
        return rows.select_related("stack")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "stack":
            kwargs["queryset"] = Stack.objects.active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class _RegistrationFormSet(ServiceFormSet):
    def lock_others(self) -> None:
        touched = {row.generator_id for row in self.removed_rows()} | {
            values["generator"].pk for values in self.added_values()
        }
        for generator_id in sorted(touched):
            lock_generator(generator_id)

    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        generator = lock_generator(values["generator"].pk)
        register_agent(agent_id=self.instance.pk, generator=generator, actor=actor)

    def remove_row(self, *, row: Registration, actor: Actor) -> None:
        generator = lock_generator(row.generator_id)
        deregister_agent(agent_id=self.instance.pk, generator=generator, actor=actor)


class RegistrationInline(ServiceInline):
    model = Registration
    formset = _RegistrationFormSet
    verbose_name = "registration"
    fields = ("generator",)
    autocomplete_fields = ("generator",)
    ordering = ("generator__name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        rows: QuerySet[Registration] = super().get_queryset(request)
        return rows.select_related("generator")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "generator":
            kwargs["queryset"] = Generator.objects.active().owners()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
