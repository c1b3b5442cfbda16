"""On the pages that publish: by which strategy, and what will happen."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest

from core.validators import MAX_REASON
from rollouts.admin.buttons import BYPASS
from rollouts.admin.words import scope_words, steps_of
from rollouts.coverage import freeze_of_stack
from rollouts.models import Freeze, Rollout, RolloutState, RolloutStrategy
from rollouts.preview import waves_for_nobody
from rollouts.services.frozen_writes import OverridingOptions
from rollouts.services.strategies import NONE, strategy_of_stack
from rollouts.strategies import OnNewer, Strategy, warnings_about
from stacks.admin.delivery import DeliveryForm, register_delivery_form
from stacks.models import Stack
from stacks.services import PublishOptions

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import CheckboxInput as _Checkbox
    from django.forms import Select as _Select
else:
    from unfold.widgets import UnfoldAdminSelectWidget as _Select
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanWidget as _Checkbox


class StrategyChoiceForm(DeliveryForm):
    """Another strategy than the stack's, or none, and publishing over a freeze: for those who have the right to bypass
    the strategy, with a reason. Who may not choose is told the plan only.
    """

    strategy = forms.ChoiceField(label="Another way, this once", required=False, widget=_Select())
    over_freeze = forms.BooleanField(
        label="Publish over the freeze",
        required=False,
        widget=_Checkbox(),
        help_text="The freeze does not hold this version. Waves still wait for its end: to reach agents before, choose "
        "all agents at once.",
    )
    bypass_reason = forms.CharField(
        label="Why",
        required=False,
        max_length=MAX_REASON,
        widget=_TextInput(),
        help_text="Goes into the audit log, with your name.",
    )

    def __init__(self, data: Any, *, stack: Stack, may_bypass: bool, asks_reason: bool) -> None:
        super().__init__(data)
        self._own = strategy_of_stack(stack)
        freeze = freeze_of_stack(stack)
        self.plan = _plan(stack, self._own, freeze)
        may_override = freeze is not None and may_bypass and asks_reason
        if not may_override:
            del self.fields["over_freeze"]
        if self._own is not None and not may_bypass:
            del self.fields["strategy"], self.fields["bypass_reason"]
            return
        if not asks_reason or (self._own is None and not may_override):
            del self.fields["bypass_reason"]
        field: Any = self.fields["strategy"]
        field.choices = self._choices()

    def _choices(self) -> list[tuple[str, str]]:
        own = self._own
        first = f"{own.name}, the stack's strategy" if own is not None else "all agents at once"
        rows = RolloutStrategy.objects.active().order_by("name")
        others = [(row.name, f"{row.name}: {steps_of(row.strategy)}") for row in rows if not _is(row, own)]
        none = [(NONE, "all agents at once, without a rollout")] if own is not None else []
        return [("", first), *others, *none]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if "bypass_reason" not in self.fields or values.get("bypass_reason"):
            return values
        if values.get("over_freeze"):
            self.add_error("bypass_reason", "Say why the freeze is overridden.")
        elif values.get("strategy") and self._own is not None:
            self.add_error("bypass_reason", "Say why the stack's strategy is passed by.")
        return values

    def options(self) -> PublishOptions:
        values = self.cleaned_data
        strategy, reason = values.get("strategy") or None, values.get("bypass_reason", "").strip()
        if values.get("over_freeze"):
            return OverridingOptions(strategy=strategy, reason=reason, override_reason=reason)
        return PublishOptions(strategy=strategy, reason=reason)


def _is(row: RolloutStrategy, own: Strategy | None) -> bool:
    return own is not None and row.name == own.name


def _plan(stack: Stack, own: Strategy | None, freeze: Freeze | None) -> list[str]:
    """What will happen, in sentences."""
    if own is None:
        plan = ["The stack has no strategy: every agent that serves it gets the version at its next poll."]
    else:
        warnings = [*waves_for_nobody(own, stack), *warnings_about(own)]
        plan = [f"Starts a rollout by {own.name}: {steps_of(own)}.", *warnings]
    if freeze is not None:
        return [*plan, f"But {scope_words(freeze)} is frozen: the version waits until the freeze is lifted."]
    running = Rollout.objects.running().of_stack(stack.pk).first()
    if running is not None:
        waits = running.state != RolloutState.PAUSED and running.strategy.on_newer == OnNewer.QUEUE
        word = "waits for the end of" if waits and own is not None else "takes the place of"
        plan.append(
            f"It {word} the rollout of #{running.version_id}, which has released wave {running.wave} of "
            f"{len(running.strategy.waves)}."
        )
    return plan


def _make(request: HttpRequest, stack: Stack, is_sent: bool, asks_reason: bool) -> StrategyChoiceForm:  # noqa: FBT001
    return StrategyChoiceForm(
        request.POST if is_sent else None,
        stack=stack,
        may_bypass=request.user.has_perm(BYPASS),
        asks_reason=asks_reason,
    )


register_delivery_form(_make)
