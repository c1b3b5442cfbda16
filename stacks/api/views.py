from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiRequest, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.etag import tagged_response
from core.api.idempotency import idempotent, idempotent_change
from core.api.negotiation import YAML_TYPES, content_type, wants_yaml
from core.api.pagination import ListQuery
from core.api.parsers import JsonParser, YamlParser
from core.api.planned import planned, planned_change
from core.api.views import ResourceViewSet
from core.errors import DomainError, InvalidJson, InvalidRequestBody, NulCharacter
from core.labels.api.views import LabelsMixin
from core.request_context import context_of
from paks.api.permissions import AnyCaller
from paks.api.views import KeyedViewSet
from stacks.access import (
    find_object,
    find_stack,
    reached_stacks,
    require_object_reader,
    require_owner,
    require_reader,
)
from stacks.api.labels import matching_operations
from stacks.api.options import PUBLISH_CONDITIONS, publish_options, published
from stacks.api.permissions import MayCreateStacks, MayListStacks
from stacks.api.serializers import (
    MANIFEST_EXAMPLE,
    CreateStackBody,
    DeploymentObjectSerializer,
    PublishBody,
    PublishedObjectSerializer,
    PublishQuery,
    StackAnnotationSerializer,
    StackLabelSerializer,
    StackListQuery,
    StackSerializer,
    UpdateStackBody,
)
from stacks.errors import (
    InvalidDeploymentObject,
    StackAnnotationNotFound,
    StackGeneratorMismatch,
    StackIdMismatch,
    StackLabelNotFound,
    StackNotFound,
)
from stacks.models import DeploymentObject, Stack
from stacks.services import (
    StackChanges,
    check_publishable,
    create_stack,
    delete_stack,
    expanded,
    lock_stack,
    publish_checked,
    update_stack,
)

# The bytes themselves. A schema of YAML without `binary` would describe the value that the text spells.
_YAML: Any = {"type": "string", "format": "binary", "description": "One or more YAML documents in UTF-8."}


class OfStackViewSet(KeyedViewSet):
    """Views of a stack that the path names."""

    resource_of_path = (Stack, "stack_id")

    def stack(self) -> Stack:
        """The live stack. Raises StackNotFound."""
        asked = context_of(self.request._request).asked
        if asked is None:
            return find_stack(self.kwargs["stack_id"])
        if not isinstance(asked.row, Stack):
            raise StackNotFound(id=asked.id)
        return asked.row


@extend_schema_view(**matching_operations("stack", StackLabelSerializer, StackAnnotationSerializer))
class StackViewSet(OfStackViewSet, LabelsMixin, ResourceViewSet):
    queryset = Stack.objects.active()
    serializer_class = StackSerializer
    label_serializer = StackLabelSerializer
    annotation_serializer = StackAnnotationSerializer
    label_not_found = StackLabelNotFound
    annotation_not_found = StackAnnotationNotFound
    owner_mismatch = StackIdMismatch

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {"list": MayListStacks(), "create": MayCreateStacks()}
        return [by_action.get(self.action) or AnyCaller()]

    def label_owner_id(self) -> UUID:
        stack = self.stack()
        require_reader(self.caller, stack)
        return stack.id

    def label_owner(self) -> Stack:
        stack = self.stack()
        require_owner(self.caller, stack)
        return stack

    @extend_schema(
        operation_id="list_stacks",
        tags=["stacks"],
        summary="List stacks",
        parameters=[StackListQuery],
        responses=StackSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """An admin sees all live stacks, a generator its own."""
        query = self.read_query(StackListQuery)
        rows = reached_stacks(self.caller).active()
        if "name" in query:
            rows = rows.named_like(query["name"])
        if "label" in query:
            rows = rows.with_label(query["label"])
        if "pak_id" in query:
            rows = rows.owned_by(query["pak_id"])
        return self.answer_list(rows, StackSerializer, order=("created_at", "id"), query=query)

    @extend_schema(
        operation_id="create_stack",
        tags=["stacks"],
        summary="Create a stack",
        request=CreateStackBody,
        responses={201: StackSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """A generator creates its own stacks; an admin names the owner."""
        body = self.read_body(CreateStackBody)
        generator_id = body.pop("generator_id", self.caller.generator_id)
        if generator_id is None:
            raise InvalidRequestBody("Wrong field: generator_id (an admin must name the owner).")
        if not self.caller.is_admin and not self.caller.is_generator(generator_id):
            raise StackGeneratorMismatch
        stack = create_stack(**body, generator_id=generator_id, actor=self.actor)
        return Response(StackSerializer(stack).data, status=201)

    @extend_schema(
        operation_id="get_stack", tags=["stacks"], summary="Get a stack", responses=StackSerializer
    )
    def retrieve(self, request: Request, *, stack_id: UUID) -> HttpResponse:
        """Admin, or the generator that owns it."""
        stack = self.stack()
        require_owner(self.caller, stack)
        return self.answer_row(StackSerializer, stack)

    @extend_schema(
        operation_id="update_stack",
        tags=["stacks"],
        summary="Change a stack",
        request=UpdateStackBody,
        responses=StackSerializer,
    )
    @planned()
    def update(self, request: Request, *, stack_id: UUID) -> Response:
        """Takes the whole object or only the changed fields; null clears the description."""
        body: Any = self.read_body(UpdateStackBody)
        if body.pop("id", stack_id) != stack_id:
            raise StackIdMismatch
        changes: StackChanges = body
        with transaction.atomic():
            stack = self._locked(stack_id)
            stack = update_stack(stack=stack, changes=changes, actor=self.actor)
        return Response(StackSerializer(stack).data)

    @extend_schema(
        operation_id="delete_stack", tags=["stacks"], summary="Delete a stack", responses={204: None}
    )
    @planned()
    def destroy(self, request: Request, *, stack_id: UUID) -> Response:
        """Agents that reported on it receive a deletion marker. The name is free at once."""
        with transaction.atomic():
            delete_stack(stack=self._locked(stack_id), actor=self.actor)
        return Response(status=204)

    def _locked(self, stack_id: UUID) -> Stack:
        stack = lock_stack(stack_id)
        require_owner(self.caller, stack)
        self.require_match(StackSerializer(stack))
        return stack


class StackObjectsViewSet(OfStackViewSet):
    """The versions of one stack."""

    queryset = DeploymentObject.objects.active()
    serializer_class = DeploymentObjectSerializer
    permission_classes = [AnyCaller]
    parser_classes = [JsonParser, YamlParser]

    @property
    def body_limit(self) -> int:
        return int(settings.MAX_MANIFEST_BYTES)

    @extend_schema(
        operation_id="list_deployment_objects",
        tags=["deployment objects"],
        summary="List a stack's versions",
        parameters=[ListQuery],
        responses=DeploymentObjectSerializer(many=True),
    )
    def list(self, request: Request, *, stack_id: UUID) -> HttpResponse:
        """Newest first, deletion markers included. Admin, or the generator that owns the stack."""
        query = self.read_query(ListQuery)
        stack = self.stack()
        require_owner(self.caller, stack)
        rows = DeploymentObject.objects.versions().filter(stack=stack)
        return self.answer_list(rows, DeploymentObjectSerializer, order=("-sequence_id",), query=query)

    @extend_schema(
        operation_id="create_deployment_object",
        tags=["deployment objects"],
        summary="Publish a new version",
        parameters=[PublishQuery, *PUBLISH_CONDITIONS],
        request={
            "application/json": PublishBody,
            "application/yaml": OpenApiRequest(_YAML, examples=[MANIFEST_EXAMPLE]),
        },
        responses={201: PublishedObjectSerializer},
    )
    @idempotent_change
    @planned_change
    def create(self, request: Request, *, stack_id: UUID) -> Callable[[], HttpResponse]:
        """The newest version is what agents apply. Send JSON, or the manifest itself as application/yaml."""
        query = self.read_query(PublishQuery)
        if self.caller.agent_id is not None:
            # It owns no stack, so its manifest is not read.
            require_owner(self.caller, self.stack())
        try:
            text, marker = self._read_manifest(marker_asked=query["deletion_marker"])
            if query["expand_lists"]:
                text = expanded(text)
            manifest = check_publishable(text, is_deletion_marker=marker)
        except DomainError:
            # Whoever may not publish on the stack is told that first.
            require_owner(self.caller, self.stack())
            raise

        def change() -> HttpResponse:
            obj = publish_checked(
                stack_id=stack_id,
                yaml_content=text,
                is_deletion_marker=marker,
                actor=self.actor,
                options=publish_options(request, query),
                objects=manifest.objects,
            )
            return published(obj, manifest)

        return change

    # Everything wrong with the body is `invalid_deployment_object` here, as clients of this endpoint expect,
    # and what is not declared as YAML is read as JSON.
    def _read_manifest(self, *, marker_asked: bool) -> tuple[str, bool]:
        if content_type(self.request) in YAML_TYPES:
            try:
                return cast(bytes, self.request.data).decode("utf-8"), marker_asked
            except UnicodeDecodeError as error:
                raise InvalidDeploymentObject(
                    f"The body is not UTF-8: {error.reason} at byte {error.start}."
                ) from error
        try:
            body = self.read_fields(PublishBody, JsonParser().parse(self.request.stream))
        except (InvalidJson, InvalidRequestBody, NulCharacter) as error:
            raise InvalidDeploymentObject(error.text, **error.details) from error
        return body["yaml_content"], body["is_deletion_marker"] or marker_asked


class DeploymentObjectViewSet(KeyedViewSet):
    queryset = DeploymentObject.objects.active()
    serializer_class = DeploymentObjectSerializer
    permission_classes = [AnyCaller]

    @extend_schema(
        operation_id="get_deployment_object",
        tags=["deployment objects"],
        summary="Get a version",
        responses={
            (200, "application/json"): DeploymentObjectSerializer,
            (200, "application/yaml"): OpenApiResponse(_YAML, examples=[MANIFEST_EXAMPLE]),
        },
    )
    def retrieve(self, request: Request, *, object_id: UUID) -> HttpResponse:
        """Admin, the owning generator, or an associated agent. `Accept: application/yaml` answers the manifest."""
        obj = find_object(object_id)
        require_object_reader(self.caller, obj)
        if wants_yaml(request):
            response = tagged_response(request._request, obj.yaml_content.encode(), "application/yaml")
        else:
            response = self.answer(DeploymentObjectSerializer(obj))
        response.headers["Vary"] = "Accept"
        return response
