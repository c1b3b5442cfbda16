"""Labels and annotations on the page of whatever carries them."""

from typing import Any

from core.admin import ServiceFormSet, ServiceInline
from core.events import Actor
from core.labels.services import add_annotation, add_label, remove_annotation, remove_label


class _LabelFormSet(ServiceFormSet):
    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        add_label(owner=self.instance, label=values["label"], actor=actor)

    def remove_row(self, *, row: Any, actor: Actor) -> None:
        remove_label(owner=self.instance, label=row.label, actor=actor)


class _AnnotationFormSet(ServiceFormSet):
    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        add_annotation(owner=self.instance, key=values["key"], value=values["value"], actor=actor)

    def remove_row(self, *, row: Any, actor: Actor) -> None:
        remove_annotation(owner=self.instance, key=row.key, actor=actor)


class LabelInline(ServiceInline):
    """The concrete inline names its model."""

    formset = _LabelFormSet
    verbose_name = "label"
    fields = ("label",)
    ordering = ("label",)


class AnnotationInline(ServiceInline):
    """The concrete inline names its model."""

    formset = _AnnotationFormSet
    verbose_name = "annotation"
    fields = ("key", "value")
    ordering = ("key",)
