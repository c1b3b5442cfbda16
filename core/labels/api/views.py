"""The label and annotation endpoints of any labelled resource."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from core.api.views import ResourceViewSet
from core.errors import DomainError
from core.events import Actor
from core.labels.api.serializers import AnnotationBody, LabelBody
from core.labels.models import LabelledResource
from core.labels.services import add_annotation, add_label, remove_annotation, remove_label

# The routes are in the apps' urls.py. The mark lets each view give the inherited operation its own description.
_documented = action(detail=True)


class LabelsMixin(ResourceViewSet):
    """Adds /labels and /annotations. The view says who may read and who may write."""

    label_serializer: ClassVar[type[BaseSerializer[Any]]]
    annotation_serializer: ClassVar[type[BaseSerializer[Any]]]
    label_not_found: ClassVar[type[DomainError]]
    annotation_not_found: ClassVar[type[DomainError]]
    # Raised when a body names another owner than the path.
    owner_mismatch: ClassVar[type[DomainError]]

    @property
    def actor(self) -> Actor:
        """The author of changes."""
        raise NotImplementedError

    def label_owner_id(self) -> UUID:
        """The owner whose labels the caller may read, or a refusal."""
        raise NotImplementedError

    def label_owner(self) -> LabelledResource:
        """The owner whose labels the caller may change, or a refusal."""
        raise NotImplementedError

    @_documented
    def labels(self, request: Request, /, **ids: Any) -> HttpResponse:
        return self._list(self.label_serializer, "label")

    @_documented
    def annotations(self, request: Request, /, **ids: Any) -> HttpResponse:
        return self._list(self.annotation_serializer, "key")

    @_documented
    @idempotent
    @planned(takes_away=False)
    def add_label(self, request: Request, /, **ids: Any) -> Response:
        value = self.read_json()
        # Existing clients send the label as a bare string to some resources, and in an object to others.
        body = self.read_fields(LabelBody, {"label": value} if isinstance(value, str) else value)
        owner = self._owner(value)
        row = add_label(owner=owner, label=body["label"], actor=self.actor)
        return Response(self.label_serializer(row).data, status=201)

    @_documented
    @idempotent
    @planned(takes_away=False)
    def add_annotation(self, request: Request, /, **ids: Any) -> Response:
        value = self.read_json()
        body = self.read_fields(AnnotationBody, value)
        owner = self._owner(value)
        row = add_annotation(owner=owner, key=body["key"], value=body["value"], actor=self.actor)
        return Response(self.annotation_serializer(row).data, status=201)

    @_documented
    @planned()
    def remove_label(self, request: Request, /, *, label: str, **ids: Any) -> Response:
        if not remove_label(owner=self.label_owner(), label=label, actor=self.actor):
            raise self.label_not_found(label=label)
        return Response(status=204)

    @_documented
    @planned()
    def remove_annotation(self, request: Request, /, *, key: str, **ids: Any) -> Response:
        if not remove_annotation(owner=self.label_owner(), key=key, actor=self.actor):
            raise self.annotation_not_found(key=key)
        return Response(status=204)

    def _list(self, serializer_class: type[BaseSerializer[Any]], word: str) -> HttpResponse:
        query = self.read_query(ListQuery)
        rows = serializer_class.Meta.model._default_manager.filter(  # type: ignore[attr-defined]
            **{f"{self._noun()}_id": self.label_owner_id(), f"{self._noun()}__deleted_at__isnull": True}
        )
        return self.answer_list(rows, serializer_class, order=(word,), query=query)

    def _owner(self, value: object) -> LabelledResource:
        owner = self.label_owner()
        named = value.get(f"{owner.NOUN}_id") if isinstance(value, dict) else None
        if named is not None and str(named).lower() != str(owner.id):
            raise self.owner_mismatch
        return owner

    def _noun(self) -> str:
        model: type[LabelledResource] = self.get_queryset().model
        return model.NOUN
