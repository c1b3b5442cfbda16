"""A stack's rollouts: the one that has not ended, those before, and the strategy that new versions go by."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core import clock
from core.admin import BaseAdmin, admin_actor, page_of, register_page
from core.validators import MAX_REASON
from rollouts.admin.buttons import BYPASS
from rollouts.admin.standing import describe, standing_context
from rollouts.admin.words import habits_of, steps_of
from rollouts.models import Rollout, RolloutStrategy
from rollouts.services.strategies import remove_stack_strategy, set_stack_strategy, strategy_of_stack
from rollouts.strategies import Strategy
from stacks.models import Stack
from stacks.services import lock_stack

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import Select as _Select
else:
    from unfold.widgets import UnfoldAdminSelectWidget as _Select
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

_CHANGE_STACK = "stacks.change_stack"
_NONE = ""


class StackStrategyForm(forms.Form):
    strategy = forms.ChoiceField(required=False, widget=_Select())
    reason = forms.CharField(
        required=False,
        max_length=MAX_REASON,
        widget=_TextInput(),
        help_text="Goes into the audit log, with your name.",
    )

    def __init__(self, data: Any, *, own: Strategy | None) -> None:
        super().__init__(data, initial={"strategy": own.name if own else _NONE})
        self._own = own
        field: Any = self.fields["strategy"]
        rows = RolloutStrategy.objects.active().order_by("name")
        field.choices = [
            (_NONE, "none: every version reaches all agents at once"),
            *((row.name, f"{row.name}: {steps_of(row.strategy)}") for row in rows),
        ]
        if own is None:
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if self.changes and "reason" in self.fields and not values.get("reason"):
            self.add_error("reason", "Say why the stack's strategy changes.")
        return values

    @property
    def changes(self) -> bool:
        """Whether a sent form names another strategy than the stack has."""
        return self.cleaned_data.get("strategy") != (self._own.name if self._own else _NONE)


def rollouts_of_stack(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """The page; a POST changes the stack's strategy."""
    own = strategy_of_stack(stack)
    user = request.user
    may_choose = stack.deleted_at is None and user.has_perm(_CHANGE_STACK if own is None else BYPASS)
    form = StackStrategyForm(request.POST if request.method == "POST" else None, own=own)
    if request.method == "POST":
        if not may_choose:
            raise PermissionDenied
        if form.is_valid():
            if form.changes:
                _choose(request, stack, form)
                model_admin.message_user(request, f"Changed: the strategy of {stack}.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
    rows = (
        Rollout.objects.of_stack(stack.pk).select_related("stack", "version").defer("version__yaml_content")
    )
    page = page_of(request, rows.order_by("-created_at", "-id"), per_page=25)
    listed = list(page)
    describe(listed)
    running = rows.unfinished().order_by("-created_at", "-id").first()
    context: dict[str, Any] = {
        "own": own,
        "steps": steps_of(own) if own else "",
        "habits": habits_of(own) if own else [],
        "form": form if may_choose else None,
        "page": page,
        "listed": listed,
    }
    if running is not None:
        context |= standing_context(running, user=user, now=clock.now())
    return model_admin.render_page(request, stack, "rollouts/admin/stack.html", context)


@transaction.atomic
def _choose(request: HttpRequest, stack: Stack, form: StackStrategyForm) -> None:
    name, reason = form.cleaned_data["strategy"], form.cleaned_data.get("reason", "")
    locked, actor = lock_stack(stack.pk), admin_actor(request)
    if name == _NONE:
        remove_stack_strategy(stack=locked, reason=reason, actor=actor)
    else:
        set_stack_strategy(stack=locked, name_or_id=name, reason=reason, actor=actor)


register_page(Stack, "rollouts", "Rollouts", rollouts_of_stack, "rollouts.view_rollout")
