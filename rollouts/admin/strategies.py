"""Strategies: the list, and the editor with its preview."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from core import clock
from core.admin import DeletedFilter, ServiceAdmin, admin_actor, ago
from core.admin.widgets import RowSelect
from core.errors import DomainError
from core.events import Actor
from rollouts.admin.buttons import BYPASS
from rollouts.admin.strategy_form import StrategyForms, with_another_wave
from rollouts.admin.words import habits_of, members_words, rules_of, steps_of
from rollouts.models import RolloutStrategy, StackRolloutStrategy
from rollouts.preview import NAMED, preview
from rollouts.services.strategies import create_strategy, delete_strategy, lock_strategy, update_strategy
from rollouts.strategies import Strategy, warnings_about
from stacks.models import Stack

_TEMPLATE = "rollouts/admin/strategy.html"


class StackForm(forms.Form):
    """The stack of the preview."""

    stack = forms.ModelChoiceField(
        label="For the stack",
        queryset=Stack.objects.active(),
        widget=RowSelect(StackRolloutStrategy._meta.get_field("stack"), admin.site),
    )


@admin.register(RolloutStrategy)
class RolloutStrategyAdmin(ServiceAdmin):
    empty_hint = (
        "A strategy says in which waves a new version reaches the agents, and what proves a wave. Add one, then choose "
        "it on the page of a stack; `manage.py bootstrap` adds three."
    )
    list_display = ("name_line", "steps", "stacks_count", "changed")
    list_filter = (DeletedFilter,)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RolloutStrategy]:
        rows: QuerySet[RolloutStrategy] = super().get_queryset(request)
        return rows.annotate(used=Count("stacks", filter=Q(stacks__stack__deleted_at__isnull=True)))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Stacks have it: to change it is to pass it by.
        return super().has_change_permission(request, obj) and request.user.has_perm(BYPASS)

    @admin.display(description="waves")
    def steps(self, row: RolloutStrategy) -> str:
        return steps_of(row.strategy)

    @admin.display(description="stacks", ordering="used")
    def stacks_count(self, row: Any) -> int:
        return int(row.used)

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, row: RolloutStrategy) -> SafeString | None:
        return ago(row.updated_at)

    def delete(self, *, row: RolloutStrategy, actor: Actor) -> None:
        delete_strategy(row=lock_strategy(row.pk), actor=actor)

    def consequences(self, row: RolloutStrategy) -> list[str]:
        return ["Rollouts under way go on with their copies of it."]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id is not None else None
        if object_id is not None and row is None:
            return self.gone(request)
        may_save = (
            self.has_add_permission(request) if row is None else self.has_change_permission(request, row)
        )
        is_preview = "_preview" in request.POST
        if not may_save and (row is None or not self.has_view_permission(request, row)):
            raise PermissionDenied
        if request.method == "POST" and not may_save and not is_preview:
            raise PermissionDenied
        return self._edit(request, row, may_save=may_save)

    def _edit(self, request: HttpRequest, row: RolloutStrategy | None, *, may_save: bool) -> HttpResponse:
        present = row.strategy if row is not None else None
        context: dict[str, Any] = {"may_save": may_save, "stack_form": StackForm()}
        if request.method != "POST":
            return self._page(request, row, StrategyForms(strategy=present), context)
        if "_add_wave" in request.POST:
            return self._page(request, row, StrategyForms(with_another_wave(request.POST)), context)
        forms_ = StrategyForms(request.POST)
        if forms_.is_valid() and forms_.strategy is not None:
            if "_preview" in request.POST:
                context |= _previewed(request, forms_.strategy)
            elif (saved := self._save(request, row, forms_)) is not None:
                self.message_user(request, f"Saved: {saved.name}.", messages.SUCCESS)
                for warning in warnings_about(forms_.strategy):
                    self.message_user(request, warning, messages.WARNING)
                return HttpResponseRedirect(self.url_of(saved))
        return self._page(request, row, forms_, context)

    def _save(
        self, request: HttpRequest, row: RolloutStrategy | None, forms_: StrategyForms
    ) -> RolloutStrategy | None:
        """The stored strategy; None when it was refused, which the form then says."""
        strategy, actor = forms_.strategy, admin_actor(request)
        assert strategy is not None  # noqa: S101  # the forms are valid
        try:
            with transaction.atomic():
                if row is None:
                    return create_strategy(strategy=strategy, actor=actor)
                return update_strategy(row=lock_strategy(row.pk), strategy=strategy, actor=actor)
        except DomainError as refusal:
            forms_.form.add_error(None, refusal.text)
            return None

    def _page(
        self, request: HttpRequest, row: RolloutStrategy | None, forms_: StrategyForms, more: dict[str, Any]
    ) -> HttpResponse:
        context = {
            "form": forms_.form,
            "waves": forms_.waves,
            "mistakes": forms_.mistakes,
            "words": _words(row.strategy) if row is not None else None,
            "media": self.media + more["stack_form"].media,
            **more,
        }
        if row is not None:
            return self.render_page(request, row, _TEMPLATE, context)
        common = {
            **self.admin_site.each_context(request),
            "title": self.title_of_adding(request),
            "opts": self.opts,
        }
        return TemplateResponse(request, _TEMPLATE, {**common, **context})


def _words(strategy: Strategy) -> dict[str, Any]:
    """The strategy for those who may not change it."""
    waves = [(wave.name, members_words(wave), rules_of(wave)) for wave in strategy.waves]
    return {"waves": waves, "habits": habits_of(strategy)}


def _previewed(request: HttpRequest, strategy: Strategy) -> dict[str, Any]:
    form = StackForm(request.POST)
    if not form.is_valid() or not request.user.has_perm("agents.view_agent"):
        return {"stack_form": form}
    stack = form.cleaned_data["stack"]
    waves: Sequence[Any] = preview(strategy, stack, now=clock.now())
    return {
        "stack_form": form,
        "preview_stack": stack,
        "preview": [(each, members_words(each.wave), max(0, each.count - NAMED)) for each in waves],
    }
