from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import idempotent_change
from core.api.planned import planned_change
from core.api.views import ResourceViewSet
from core.labels.api.views import LabelsMixin
from paks.api.permissions import AnyCaller
from paks.api.views import KeyedViewSet
from stacks.access import find_object, find_stack, require_object_reader
from stacks.access import require_owner as require_stack_owner
from stacks.api.labels import matching_operations
from stacks.api.options import PUBLISH_CONDITIONS, publish_options, published
from stacks.api.serializers import DeploymentObjectSerializer, PublishedObjectSerializer, PublishOptionsQuery
from stacks.models import DeploymentObject
from templates_app.access import find_template, listable_templates, require_owner, require_reader
from templates_app.api.permissions import MayCreateTemplates, MayHaveTemplates
from templates_app.api.serializers import (
    CreateTemplateBody,
    InstantiateBody,
    PreviewSerializer,
    ProvenanceSerializer,
    RenderBody,
    TemplateAnnotationSerializer,
    TemplateLabelSerializer,
    TemplateListQuery,
    TemplateSerializer,
    TemplateWithVersionsSerializer,
    UpdateTemplateBody,
)
from templates_app.errors import (
    ProvenanceNotFound,
    TemplateAnnotationNotFound,
    TemplateIdMismatch,
    TemplateLabelNotFound,
)
from templates_app.models import RenderedObject, StackTemplate
from templates_app.services import (
    create_template,
    delete_template,
    draft,
    lock_template,
    preview,
    publish_rendering,
    render_for,
    update_template,
)


@extend_schema_view(**matching_operations("template", TemplateLabelSerializer, TemplateAnnotationSerializer))
class TemplateViewSet(KeyedViewSet, LabelsMixin, ResourceViewSet):
    queryset = StackTemplate.objects.active()
    serializer_class = TemplateSerializer
    has_plans = False
    reading_posts = frozenset({"render"})
    label_serializer = TemplateLabelSerializer
    annotation_serializer = TemplateAnnotationSerializer
    label_not_found = TemplateLabelNotFound
    annotation_not_found = TemplateAnnotationNotFound
    owner_mismatch = TemplateIdMismatch

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {
            "list": MayHaveTemplates(),
            "create": MayCreateTemplates(),
        }
        return [by_action.get(self.action) or AnyCaller()]

    def label_owner_id(self) -> UUID:
        return self._readable(self.kwargs["template_id"]).id

    def label_owner(self) -> StackTemplate:
        return self._owned(self.kwargs["template_id"])

    @extend_schema(
        operation_id="list_templates",
        tags=["templates"],
        summary="List templates",
        parameters=[TemplateListQuery],
        responses=TemplateSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Every live version. An admin sees all, a generator the system's and then its own. A key with limits sees only
        the system's.
        """
        query = self.read_query(TemplateListQuery)
        rows = StackTemplate.objects.active().filter(listable_templates(self.caller))
        if "name" in query:
            rows = rows.named_like(query["name"])
        if "label" in query:
            rows = rows.with_label(query["label"])
        order: tuple[str, ...] = ("name", "version", "id")
        if not self.caller.is_admin:
            rows, order = rows.systems_first(), ("group", *order)
        return self.answer_list(rows, TemplateSerializer, order=order, query=query)

    @extend_schema(
        operation_id="create_template",
        tags=["templates"],
        summary="Create a template",
        request=CreateTemplateBody,
        responses={201: TemplateSerializer},
    )
    @idempotent_change
    def create(self, request: Request) -> Callable[[], Response]:
        """An admin's is a system template. An existing name gets its next version."""
        body = self.read_body(CreateTemplateBody)
        name = body.pop("name")
        checked = draft(**body)

        def change() -> Response:
            template = create_template(
                generator_id=self.caller.generator_id, name=name, draft=checked, actor=self.actor
            )
            return Response(TemplateSerializer(template).data, status=201)

        return change

    @extend_schema(
        operation_id="get_template",
        tags=["templates"],
        summary="Get a template version",
        responses=TemplateWithVersionsSerializer,
    )
    def retrieve(self, request: Request, *, template_id: UUID) -> HttpResponse:
        """With the versions of its name. Admin, any generator for system templates, or the owner."""
        return self.answer(TemplateWithVersionsSerializer(self._readable(template_id)))

    @extend_schema(
        operation_id="update_template",
        tags=["templates"],
        summary="Add a version to a template",
        request=UpdateTemplateBody,
        responses=TemplateSerializer,
    )
    def update(self, request: Request, *, template_id: UUID) -> Response:
        """Answers the new version; the addressed one stays, and its labels stay with it."""
        body = self.read_body(UpdateTemplateBody)
        if body.pop("id", template_id) != template_id:
            raise TemplateIdMismatch
        self._owned(template_id)
        checked = draft(**body)
        with transaction.atomic():
            template = update_template(template=self._locked(template_id), draft=checked, actor=self.actor)
        return Response(TemplateSerializer(template).data)

    @extend_schema(
        operation_id="delete_template",
        tags=["templates"],
        summary="Delete a template version",
        responses={204: None},
    )
    def destroy(self, request: Request, *, template_id: UUID) -> Response:
        """Other versions stay."""
        with transaction.atomic():
            delete_template(template=self._locked(template_id), actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="render_template",
        tags=["templates"],
        summary="Preview a template",
        request=RenderBody,
        responses=PreviewSerializer,
    )
    def render(self, request: Request, *, template_id: UUID) -> Response:
        """The text these parameters give and everything that speaks against it; nothing is stored."""
        body = self.read_body(RenderBody)
        template = self._readable(template_id)
        found = preview(
            template_content=template.template_content,
            parameters_schema=template.parameters_schema,
            parameters=body["parameters"],
        )
        return Response(PreviewSerializer(found).data)

    def _readable(self, template_id: UUID) -> StackTemplate:
        template = find_template(template_id)
        require_reader(self.caller, template)
        return template

    def _owned(self, template_id: UUID) -> StackTemplate:
        template = find_template(template_id)
        require_owner(self.caller, template)
        return template

    def _locked(self, template_id: UUID) -> StackTemplate:
        template = lock_template(template_id)
        require_owner(self.caller, template)
        self.require_match(TemplateWithVersionsSerializer(template))
        return template


class InstantiationViewSet(KeyedViewSet):
    queryset = DeploymentObject.objects.active()
    serializer_class = DeploymentObjectSerializer
    permission_classes = [AnyCaller]

    @extend_schema(
        operation_id="instantiate_template",
        tags=["templates"],
        summary="Publish a version from a template",
        parameters=[PublishOptionsQuery, *PUBLISH_CONDITIONS],
        request=InstantiateBody,
        responses={201: PublishedObjectSerializer},
    )
    @idempotent_change
    @planned_change
    def create(self, request: Request, *, stack_id: UUID) -> Callable[[], HttpResponse]:
        """Renders the template version with the parameters and publishes the text on the stack."""
        query = self.read_query(PublishOptionsQuery)
        body = self.read_body(InstantiateBody)
        stack = find_stack(stack_id)
        require_stack_owner(self.caller, stack)
        template = find_template(body["template_id"])
        require_reader(self.caller, template)
        rendering = render_for(stack=stack, template=template, parameters=body["parameters"])

        def change() -> HttpResponse:
            obj, _ = publish_rendering(
                stack_id=stack_id,
                rendering=rendering,
                actor=self.actor,
                options=publish_options(request, query),
            )
            return published(obj, rendering.manifest)

        return change


class ProvenanceViewSet(KeyedViewSet):
    queryset = RenderedObject.objects.all()
    serializer_class = ProvenanceSerializer
    permission_classes = [AnyCaller]

    @extend_schema(
        operation_id="get_provenance",
        tags=["templates"],
        summary="Where a version came from",
        responses=ProvenanceSerializer,
    )
    def retrieve(self, request: Request, *, object_id: UUID) -> HttpResponse:
        """The template version and parameters a deployment object was made from. Who may read the object may ask."""
        obj = find_object(object_id)
        require_object_reader(self.caller, obj)
        rendered = RenderedObject.objects.select_related("template").filter(deployment_object=obj).first()
        if rendered is None:
            raise ProvenanceNotFound(id=object_id)
        return self.answer(ProvenanceSerializer(rendered))
