"""The base of the pages that write: every change is a call of a service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import DateTimeField, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from core.admin.base import BaseAdmin, admin_actor
from core.admin.deletion_impact import deletion_impact_of
from core.admin.planning import PLAN, ShownPlan, carry_out, make_confirmed, plan_of
from core.admin.widgets import MomentFormField, MomentInput
from core.errors import DomainError
from core.events import Actor
from core.request_context import context_of

# Django's class takes a parameter for the type checker only.
if TYPE_CHECKING:
    _ModelForm = ModelForm[Any]
else:
    _ModelForm = ModelForm


@dataclass(frozen=True, slots=True)
class Created:
    """What a service made, and the text of the key it issued, if any."""

    row: Model
    key: str | None = None


class ServiceForm(_ModelForm):
    """Shows what a service refused as an error of the form."""

    refusal: ClassVar[DomainError | None] = None

    def clean(self) -> dict[str, Any] | None:
        if self.refusal is not None:
            raise ValidationError(self.refusal.text)
        return super().clean()


class ServiceAdmin(BaseAdmin):
    """The base of pages that write. Every write calls a service, with the admin-site user as the author."""

    # The right to make keys, spelled `app.verb_model`, where making a row answers with one: whoever is shown a key can
    # do with it what its owner may.
    key_permission: ClassVar[str | None] = None

    form = ServiceForm
    # One control for moments, in forms of models as in all others.
    formfield_overrides: ClassVar[dict[Any, dict[str, Any]]] = {
        DateTimeField: {"form_class": MomentFormField, "widget": MomentInput}
    }
    delete_selected_confirmation_template = "core/admin/delete.html"

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        """Create a row from the form's values, by a service."""
        raise NotImplementedError

    def update(self, *, row: Any, changes: dict[str, Any], actor: Actor) -> None:
        """Apply the form's changes, by a service."""
        raise NotImplementedError

    def delete(self, *, row: Any, actor: Actor) -> None:
        raise NotImplementedError

    def rows_touched_by_creation(self, values: dict[str, Any]) -> Sequence[Model]:
        """The rows to which a new row may give something, for the plan of its creation."""
        return ()

    def consequences(self, row: Any) -> list[str]:
        """The further effects of deleting the row, in sentences."""
        return []

    def is_open(self, row: Any) -> bool:
        """Whether the row may be changed at all, by anybody."""
        return getattr(row, "deleted_at", None) is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        may_have_key = self.key_permission is None or request.user.has_perm(self.key_permission)
        return super().has_add_permission(request) and may_have_key

    def has_issue_key_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_have_key = self.key_permission is not None and request.user.has_perm(self.key_permission)
        return self.has_change_permission(request, obj) and may_have_key

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request) and self._is_open(request, obj)
        return may and not context_of(request).is_reading

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request) and self._is_open(request, obj)

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> Any:
        # The theme has made the row's buttons by now, so this hides the fields only.
        is_reading = self.reads_first and object_id is not None and request.method == "GET"
        context = {**(extra_context or {})}
        if is_reading and "edit" not in request.GET:
            context["may_edit"] = self.has_change_permission(request, object_id)
            context_of(request).is_reading = True
        try:
            response = super()._changeform_view(request, object_id, form_url, context)  # type: ignore[misc]  # Django's own
        finally:
            context_of(request).is_reading = False
        return response

    def _is_open(self, request: HttpRequest, obj: Any) -> bool:
        row = self.row_of(request, obj)
        return row is None or self.is_open(row)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001  # Django's signature
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refusal = context_of(request).refusal
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            return
        actor = admin_actor(request)
        rows = self.rows_touched_by_creation(form.cleaned_data)
        created = carry_out(
            request,
            rows,
            lambda: self.create(values=form.cleaned_data, actor=actor),
            phrase=str(rows[0]) if rows else "",
            actor=actor,
        )
        obj.pk, obj.issued_key = created.row.pk, created.key
        obj.refresh_from_db()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        actor = admin_actor(request)
        changes = {name: form.cleaned_data[name] for name in form.changed_data}

        def save() -> None:
            # Lock the rows referred to before the row itself, in the same order as the API.
            for formset in formsets:
                formset.lock_others()
            if change and changes:
                self.update(row=form.instance, changes=dict(changes), actor=actor)
            for formset in formsets:
                formset.save_rows(actor=actor)

        if not change or not (changes or any(formset.changes_rows() for formset in formsets)):
            save()
            return
        carry_out(request, [form.instance], save, phrase=self.name_of(form.instance), actor=actor)

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001
    ) -> Any:
        return []

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.issued_key is not None:
            return self.show_key(request, obj, obj.issued_key)
        return super().response_add(request, obj, post_url_continue)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete_confirmed(request, [obj])

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._delete_confirmed(request, list(queryset.order_by("pk")))

    def _delete_confirmed(self, request: HttpRequest, rows: list[Any]) -> None:
        actor = admin_actor(request)
        make_confirmed(
            request, rows, lambda: self._delete_all(rows, actor), phrase=self._phrase(rows), actor=actor
        )

    def _delete_all(self, rows: Sequence[Any], actor: Actor) -> None:
        for row in rows:
            self.delete(row=row, actor=actor)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.POST.get("action") == "delete_selected" and self.has_delete_permission(request):
            if request.POST.get("select_across") == "1":
                # The page names each row and says what its deletion does, so they are as many as somebody reads.
                text = "Rows are deleted page by page. Select those of a page."
                self.message_user(request, text, messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
            rows = list(self.get_queryset(request).filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)))
            if "post" in request.POST and not self.is_meant(request, rows):
                # Without this field, the page asks again.
                fields = request.POST.copy()
                del fields["post"]
                cast(Any, request).POST = fields
        response = super().changelist_view(request, extra_context)
        if getattr(response, "template_name", None) == self.delete_selected_confirmation_template:
            cast(TemplateResponse, response).context_data |= self._asked(request)  # type: ignore[operator]  # Django fills it
        return response

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        return super().render_delete_form(request, context | self._asked(request))

    @staticmethod
    def _asked(request: HttpRequest) -> dict[str, Any]:
        context = context_of(request)
        return {"impact": context.impact, "phrase": context.phrase, "plan": context.plan}

    def is_meant(self, request: HttpRequest, rows: list[Any]) -> bool:
        """Whether why was said, the name was typed where the impact is large, and the plan was seen."""
        if not super().is_meant(request, rows):
            return False
        impact = deletion_impact_of(self.model, rows)
        typed = request.POST.get("typed", "").strip()
        if impact is not None and impact.is_wide and typed != self._phrase(rows):
            problem = "Nothing is deleted: what was typed is not what was asked for."
        elif PLAN not in request.POST and self._plan_of_deletion(request, rows) is not None:
            problem = "Nothing is deleted: look first at what it changes."
        else:
            return True
        self.message_user(request, problem, messages.ERROR)
        return False

    def _plan_of_deletion(self, request: HttpRequest, rows: Sequence[Any]) -> ShownPlan | None:
        actor = admin_actor(request)
        return plan_of(rows, lambda: self._delete_all(rows, actor), phrase=self._phrase(rows))

    def _phrase(self, rows: Sequence[Any]) -> str:
        if len(rows) == 1:
            return str(getattr(rows[0], "name", rows[0]))
        return f"delete {len(rows)} {self.opts.verbose_name_plural}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # The service marks the row as deleted and does the rest. Nothing cascades in the database.
        rows = list(objs)
        impact = deletion_impact_of(self.model, rows)
        told = [self.consequences(row) for row in rows]
        # What is the same of all is said once.
        is_same = len(rows) > 1 and bool(told[0]) and all(words == told[0] for words in told)
        tree: list[Any] = ["Each of them:", told[0]] if is_same else []
        for row, own in zip(rows, told, strict=True):
            words = [] if is_same else own
            if impact and len(rows) > 1 and row.pk in impact.by_row:
                words = [impact.by_row[row.pk], *words]
            tree.append(str(row))
            if words:
                tree.append(words)
        context = context_of(request)
        context.impact = impact
        if "post" not in request.POST:
            context.plan = self._plan_of_deletion(request, rows)
        context.phrase = self._phrase(rows) if impact and impact.is_wide else ""
        return tree, {self.opts.verbose_name_plural: len(rows)}, set(), []
