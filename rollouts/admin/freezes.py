"""Freezes: the list, beginning one, and lifting it. Those that hold are on top of every page."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core import clock
from core.admin import Created, Question, ServiceAdmin, ServiceForm, admin_actor, badge, detail_action, moment
from core.events import Actor
from core.validators import MAX_REASON
from rollouts.admin.words import scope_words
from rollouts.coverage import holding_freezes
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze, lift_freeze

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

_SCOPES = [
    (Freeze.Scope.FLEET.value, "the whole fleet"),
    (Freeze.Scope.GENERATOR.value, "the stacks of a generator"),
    (Freeze.Scope.LABEL.value, "the stacks that agents with a label serve"),
]

LIFT = Question(
    title="Lift the freeze",
    consequence="What was published meanwhile starts: of each stack the newest version, older ones are superseded. "
    "Rollouts go on where they stood.",
    button="Lift",
)


def shown_freezes() -> list[Any]:
    """The freezes that hold, each with `words` for what it covers, and `sentence` for why. One query."""
    freezes: list[Any] = holding_freezes()
    for freeze in freezes:
        freeze.words = scope_words(freeze)
        freeze.sentence = f"{freeze.reason.rstrip('.')}."
    return freezes


class FreezeForm(ServiceForm):
    """The row is made by a service, so that the form checks only what the service cannot say of one field."""

    reason = forms.CharField(
        max_length=MAX_REASON, widget=_TextInput(), help_text="On top of every page, and in the audit log."
    )

    class Meta:
        model = Freeze
        fields = ("scope", "generator", "label", "reason", "until")
        help_texts: ClassVar[dict[str, str]] = {
            "generator": "For the scope generator: every stack of this generator is frozen.",
            "label": "For the scope label: every stack that an agent with this label serves is frozen.",
            "until": "In UTC. Empty: until somebody lifts it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "generator" in self.fields:
            self.fields["generator"].required = self.fields["until"].required = False

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or {}
        scope = values.get("scope")
        if scope == Freeze.Scope.GENERATOR and not values.get("generator"):
            self.add_error("generator", "Choose the generator whose stacks are frozen.")
        if scope == Freeze.Scope.LABEL and not values.get("label"):
            self.add_error("label", "Name the label whose agents are frozen.")
        if (until := values.get("until")) and until <= clock.now():
            self.add_error("until", "This moment has passed.")
        return values

    def validate_constraints(self) -> None:
        """The service refuses what the constraint would."""


class HoldingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("holding", "Holding"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"holding", "over"}:
            return queryset.filter(lifted_at__isnull=self.value() == "holding")
        return queryset


@admin.register(Freeze)
class FreezeAdmin(ServiceAdmin):
    empty_hint = (
        "While a freeze holds, what agents should have stays as it is: versions are accepted and wait, rollouts stand "
        "still. Begin one before a holiday or during an incident."
    )
    form = FreezeForm
    list_display = ("covers", "state", "reason_line", "began", "created_by", "ends", "over")
    list_filter = (HoldingFilter,)
    list_select_related = ("generator",)
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("generator",)
    actions_detail = ("lift",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("scope", "generator", "label", "reason", "until")
        return ("covers", "state", "reason", "began", "created_by", "ends", "over", "lifted_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "scope":
            field.choices = _SCOPES
        return field

    def name_of(self, row: Freeze) -> str:
        return f"Freeze of {scope_words(row)}"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(f"rollouts.{verb}_freeze") for verb in ("view", "change"))

    def has_lift_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("rollouts.change_freeze")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        # One that is over has no button. Who still has one on a page is told so when it is pressed.
        row = self.row_of(request, str(object_id))
        shown: Any = super()
        return (
            [] if row is None or row.lifted_at is not None else shown.get_actions_detail(request, object_id)
        )

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    @admin.display(description="covers")
    def covers(self, freeze: Freeze) -> str:
        return scope_words(freeze).capitalize() if freeze.scope == Freeze.Scope.FLEET else scope_words(freeze)

    @admin.display(description="state")
    def state(self, freeze: Freeze) -> SafeString:
        if freeze.lifted_at is None:
            return badge("holds", "bad")
        return badge("expired" if freeze.has_expired else "lifted")

    @admin.display(description="reason")
    def reason_line(self, freeze: Freeze) -> str:
        return freeze.reason

    @admin.display(description="began", ordering="created_at")
    def began(self, freeze: Freeze) -> SafeString | None:
        return moment(freeze.created_at)

    @admin.display(description="until")
    def ends(self, freeze: Freeze) -> str:
        return f"{freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until else "somebody lifts it"

    @admin.display(description="over")
    def over(self, freeze: Freeze) -> SafeString | None:
        return moment(freeze.lifted_at)

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        scope = Freeze.Scope(values["scope"])
        return Created(
            begin_freeze(
                scope=scope,
                reason=values["reason"],
                actor=actor,
                now=clock.now(),
                generator_id=values["generator"].pk if scope == Freeze.Scope.GENERATOR else None,
                label=values["label"] if scope == Freeze.Scope.LABEL else "",
                until=values["until"],
            )
        )

    # Lifting thaws one stack after the other, each in a transaction of its own.
    @detail_action(
        description="Lift",
        icon="lock_open",
        question=LIFT,
        done="Lifted",
        permission="lift",
        in_transaction=False,
        has_plan=True,
    )
    def lift(self, request: HttpRequest, row: Freeze) -> None:
        lift_freeze(freeze_id=row.pk, actor=admin_actor(request), now=clock.now())
