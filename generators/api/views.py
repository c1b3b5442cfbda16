from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from generators.api.permissions import IsAdminOrThisGenerator
from generators.api.serializers import (
    CreateGeneratorBody,
    GeneratorListQuery,
    GeneratorSerializer,
    GeneratorWithPakSerializer,
    TenantSerializer,
    UpdateGeneratorBody,
)
from generators.errors import GeneratorIdMismatch, GeneratorNotFound
from generators.models import Generator
from generators.services import (
    GeneratorChanges,
    create_generator,
    delete_generator,
    lock_generator,
    rotate_generator_pak,
    update_generator,
)
from paks.api.permissions import IsAdmin
from paks.api.serializers import RotatePakBody, overlap_of
from paks.api.views import KeyedViewSet


class GeneratorViewSet(KeyedViewSet):
    queryset = Generator.objects.active()
    serializer_class = GeneratorSerializer
    optional_body = frozenset({"rotate_pak"})

    def get_permissions(self) -> list[BasePermission]:
        return [IsAdmin() if self.action in {"list", "create"} else IsAdminOrThisGenerator()]

    @extend_schema(
        operation_id="list_generators",
        tags=["generators"],
        summary="List generators",
        parameters=[GeneratorListQuery],
        responses=GeneratorSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """All live generators but the system generator. Admin only."""
        query = self.read_query(GeneratorListQuery)
        rows = Generator.objects.active().owners()
        if "name" in query:
            rows = rows.named_like(query["name"])
        return self.answer_list(rows, GeneratorSerializer, order=("created_at", "id"), query=query)

    @extend_schema(
        operation_id="create_generator",
        tags=["generators"],
        summary="Create a generator",
        request=CreateGeneratorBody,
        responses={201: GeneratorWithPakSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Answers the generator with its key, which is shown only here. Admin only."""
        body = self.read_body(CreateGeneratorBody)
        generator, key = create_generator(**body, actor=self.actor)
        return Response(GeneratorWithPakSerializer({"generator": generator, "pak": key}).data, status=201)

    @extend_schema(
        operation_id="get_generator",
        tags=["generators"],
        summary="Get a generator",
        responses=GeneratorSerializer,
    )
    def retrieve(self, request: Request, *, generator_id: UUID) -> HttpResponse:
        """Admin, or the generator itself."""
        generator = Generator.objects.active().filter(id=generator_id).first()
        if generator is None:
            raise GeneratorNotFound(id=generator_id)
        return self.answer(GeneratorSerializer(generator))

    @extend_schema(
        operation_id="update_generator",
        tags=["generators"],
        summary="Change a generator",
        request=UpdateGeneratorBody,
        responses=GeneratorSerializer,
    )
    def update(self, request: Request, *, generator_id: UUID) -> Response:
        """Takes the whole object or only the changed fields. Admin, or the generator itself."""
        body: Any = self.read_body(UpdateGeneratorBody)
        if body.pop("id", generator_id) != generator_id:
            raise GeneratorIdMismatch
        changes: GeneratorChanges = body
        with transaction.atomic():
            generator = lock_generator(generator_id)
            self.require_match(GeneratorSerializer(generator))
            generator = update_generator(generator=generator, changes=changes, actor=self.actor)
        return Response(GeneratorSerializer(generator).data)

    @extend_schema(
        operation_id="delete_generator",
        tags=["generators"],
        summary="Delete a generator",
        responses={204: None},
    )
    @planned()
    def destroy(self, request: Request, *, generator_id: UUID) -> Response:
        """Also deletes its stacks, whose agents receive deletion markers, and ends its keys."""
        with transaction.atomic():
            generator = lock_generator(generator_id)
            self.require_match(GeneratorSerializer(generator))
            delete_generator(generator=generator, actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="rotate_generator_pak",
        tags=["generators"],
        summary="Replace a generator's key",
        request=RotatePakBody,
        responses={201: GeneratorWithPakSerializer},
    )
    @idempotent
    def rotate_pak(self, request: Request, *, generator_id: UUID) -> Response:
        """The old keys stop working at once, or after `overlap_seconds`; the new one is shown only here. Keys with
        limits stay.
        """
        overlap = overlap_of(self.read_body(RotatePakBody))
        with transaction.atomic():
            generator = lock_generator(generator_id)
            key = rotate_generator_pak(generator=generator, actor=self.actor, overlap=overlap)
        return Response(GeneratorWithPakSerializer({"generator": generator, "pak": key}).data, status=201)


class TenantViewSet(KeyedViewSet):
    queryset = Generator.objects.active()
    serializer_class = TenantSerializer
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_paks",
        tags=["auth"],
        summary="List tenants",
        parameters=[ListQuery],
        responses=TenantSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Id and name of every generator that can own stacks, to choose a scope from. Admin only."""
        rows = Generator.objects.active().owners()
        return self.answer_list(
            rows, TenantSerializer, order=("created_at", "id"), query=self.read_query(ListQuery)
        )
