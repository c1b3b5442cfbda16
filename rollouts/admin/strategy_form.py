"""The form of a strategy: what holds for all waves, and a form for each wave."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from core.admin.durations import DurationField
from core.validators import MAX_NAME, is_label
from rollouts.strategies import (
    DEFAULT_DEADLINE_SECONDS,
    DEFAULT_SOAK_SECONDS,
    MAX_WAVES,
    FailureBudget,
    HealthGate,
    OnFailure,
    OnNewer,
    SilentAgents,
    Strategy,
    Wave,
    mistakes_in,
)

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminIntegerFieldWidget as _NumberInput
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import CheckboxInput as _Switch
    from django.forms import Select as _Select

    _WaveFormSet = BaseFormSet["WaveForm"]
else:
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as _NumberInput
    from unfold.widgets import UnfoldAdminSelectWidget as _Select
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as _Switch

    _WaveFormSet = BaseFormSet

MAX_SECONDS = 365 * 86_400
_MAX_COUNT = 1_000_000
_MAX_WORD = 64
# What a new strategy begins with.
FIRST_WAVES = (Wave("canary", count=1), Wave("rest"))


class StrategyForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, widget=_TextInput())
    on_failure = forms.ChoiceField(
        label="When a wave fails",
        choices=[(OnFailure.PAUSE, "pause the rollout"), (OnFailure.ROLL_BACK, "roll back")],
        widget=_Select(),
    )
    silent = forms.ChoiceField(
        label="Silent agents of a wave",
        choices=[
            (SilentAgents.DEFERRED, "are not waited for"),
            (SilentAgents.REQUIRED, "are waited for"),
        ],
        widget=_Select(),
        help_text="Silent when it is released. Those that are not waited for get the version when they come back.",
    )
    on_newer = forms.ChoiceField(
        label="A newer version meanwhile",
        choices=[(OnNewer.SUPERSEDE, "takes the place of this one"), (OnNewer.QUEUE, "waits for its turn")],
        widget=_Select(),
    )
    approval_by_another = forms.BooleanField(
        label="Whoever published may not approve", required=False, widget=_Switch()
    )


class WaveForm(forms.Form):
    name = forms.CharField(max_length=_MAX_WORD, widget=_TextInput())
    labels = forms.CharField(
        required=False,
        widget=_TextInput(),
        help_text="Agents with any of these, separated by spaces. Empty: whoever is left.",
    )
    percent = forms.IntegerField(
        label="At most, in percent", required=False, min_value=1, max_value=100, widget=_NumberInput()
    )
    count = forms.IntegerField(
        label="Or at most, in agents",
        required=False,
        min_value=1,
        max_value=_MAX_COUNT,
        widget=_NumberInput(),
    )
    soak_seconds = DurationField(label="Good for", least=0, most=MAX_SECONDS, initial=DEFAULT_SOAK_SECONDS)
    deadline_seconds = DurationField(
        label="Proven within", least=1, most=MAX_SECONDS, initial=DEFAULT_DEADLINE_SECONDS
    )
    health = forms.ChoiceField(
        choices=[
            (HealthGate.IF_REPORTED, "counts if it is reported"),
            (HealthGate.REQUIRED, "must be reported"),
            (HealthGate.IGNORED, "does not count"),
        ],
        initial=HealthGate.IF_REPORTED,
        widget=_Select(),
    )
    max_failures = forms.RegexField(
        r"^([0-9]{1,6}|(100|[0-9]{1,2})%)$",
        label="Failures allowed",
        initial="0",
        widget=_TextInput(),
        help_text="A number, or a share such as 5%.",
    )
    checks = forms.CharField(
        required=False, widget=_TextInput(), help_text="Names of outside checks, separated by spaces."
    )
    needs_approval = forms.BooleanField(label="A person approves it", required=False, widget=_Switch())

    def clean_labels(self) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(self.cleaned_data["labels"].split()))
        if not all(is_label(word) for word in words):
            raise forms.ValidationError("A label has 1 to 64 characters.")
        return words

    def clean_checks(self) -> tuple[str, ...]:
        names = tuple(self.cleaned_data["checks"].split())
        if any(len(name) > _MAX_WORD for name in names):
            raise forms.ValidationError("The name of a check has at most 64 characters.")
        return names

    def wave(self) -> Wave:
        """What a valid form says."""
        values = {name: self.cleaned_data[name] for name in self.fields if name in Wave.__dataclass_fields__}
        text = values.pop("max_failures")
        budget = FailureBudget(percent=int(text[:-1])) if text.endswith("%") else FailureBudget(int(text))
        return Wave(**values | {"max_failures": budget, "health": HealthGate(values["health"])})


class WaveFormSetBase(_WaveFormSet):
    """The waves in the order of their positions. Those that are ticked for removal are left out."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = "Position"
        form.fields["ORDER"].widget = _NumberInput()
        form.fields["DELETE"].label = "Remove this wave"
        form.fields["DELETE"].widget = _Switch()

    def waves(self) -> list[Wave]:
        """What valid forms say."""
        return [form.wave() for form in self.ordered_forms]


WaveFormSet = formset_factory(
    WaveForm,
    formset=WaveFormSetBase,
    extra=0,
    can_order=True,
    can_delete=True,
    max_num=MAX_WAVES,
    absolute_max=MAX_WAVES + 1,
    validate_max=True,
)


class StrategyForms:
    """Both forms as one. `strategy` is what they say, once they are valid."""

    def __init__(self, data: Any = None, *, strategy: Strategy | None = None) -> None:
        self.form = StrategyForm(data, initial=_of_strategy(strategy) if strategy else None)
        waves = strategy.waves if strategy else FIRST_WAVES
        self.waves: Any = WaveFormSet(data, initial=[_of_wave(wave) for wave in waves], prefix="waves")
        self.strategy: Strategy | None = None

    @property
    def mistakes(self) -> Sequence[str]:
        """What is wrong with all of it, beside what is said at the fields."""
        return [*self.form.non_field_errors(), *self.waves.non_form_errors()]

    def is_valid(self) -> bool:
        if not all([self.form.is_valid(), self.waves.is_valid()]):
            return False
        values = self.form.cleaned_data
        strategy = Strategy(
            values["name"],
            tuple(self.waves.waves()),
            OnFailure(values["on_failure"]),
            SilentAgents(values["silent"]),
            OnNewer(values["on_newer"]),
            values["approval_by_another"],
        )
        for mistake in mistakes_in(strategy):
            self.form.add_error(None, mistake)
        self.strategy = None if self.form.errors else strategy
        return self.strategy is not None


def with_another_wave(data: Any) -> dict[str, Any]:
    """The sent fields with one wave more: before the last, which has to be the rest."""
    given: dict[str, Any] = data.dict()
    total = WaveFormSet(data, prefix="waves").total_form_count()
    if total >= MAX_WAVES:
        return given
    positions = [_position(given.get(f"waves-{number}-ORDER", "")) for number in range(total)]
    last = max(positions, default=0)
    for number, position in enumerate(positions):
        if position == last:
            given[f"waves-{number}-ORDER"] = str(last + 1)
    new = _of_wave(Wave(f"wave {total + 1}", percent=50))
    given |= {
        f"waves-{total}-{name}": str(value) for name, value in new.items() if value not in ("", None, False)
    }
    return given | {f"waves-{total}-ORDER": str(last), "waves-TOTAL_FORMS": str(total + 1)}


def _position(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def _of_strategy(strategy: Strategy) -> dict[str, Any]:
    names = ("name", "on_failure", "silent", "on_newer", "approval_by_another")
    return {name: getattr(strategy, name) for name in names}


def _of_wave(wave: Wave) -> dict[str, Any]:
    budget = wave.max_failures
    return {
        "name": wave.name,
        "labels": " ".join(wave.labels),
        "percent": wave.percent,
        "count": wave.count,
        "soak_seconds": wave.soak_seconds,
        "health": wave.health.value,
        "max_failures": f"{budget.percent}%" if budget.percent is not None else str(budget.count),
        "checks": " ".join(wave.checks),
        "needs_approval": wave.needs_approval,
        "deadline_seconds": wave.deadline_seconds,
    }
