from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.etag import require_match
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from core.api.planned import planned
from core.api.renderers import to_json
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from rollouts.access import find_strategy
from rollouts.api.permissions import MaySeeRollouts
from rollouts.api.serializers.bodies import OptionalReasonBody
from rollouts.api.serializers.strategies import (
    CreateStrategyBody,
    RolloutStrategySerializer,
    StackStrategyBody,
    StackStrategySerializer,
    UpdateStrategyBody,
)
from rollouts.errors import StackHasNoStrategy
from rollouts.models import RolloutStrategy, StackRolloutStrategy
from rollouts.services.strategies import (
    create_strategy,
    delete_strategy,
    lock_strategy,
    remove_stack_strategy,
    set_stack_strategy,
    update_strategy,
)
from rollouts.strategies import strategy_from_json
from stacks.access import find_stack, require_owner
from stacks.models import Stack
from stacks.services import lock_stack


class RolloutStrategyViewSet(KeyedViewSet):
    queryset = RolloutStrategy.objects.active()
    serializer_class = RolloutStrategySerializer

    def get_permissions(self) -> list[BasePermission]:
        return [MaySeeRollouts() if self.action in {"list", "retrieve"} else IsAdmin()]

    @extend_schema(
        operation_id="list_rollout_strategies",
        tags=["rollouts"],
        summary="List strategies",
        parameters=[ListQuery],
        responses=RolloutStrategySerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """By name. Admin, or any generator."""
        query = self.read_query(ListQuery)
        rows = RolloutStrategy.objects.active()
        return self.answer_list(rows, RolloutStrategySerializer, order=("name", "id"), query=query)

    @extend_schema(
        operation_id="create_rollout_strategy",
        tags=["rollouts"],
        summary="Create a strategy",
        request=CreateStrategyBody,
        responses={201: RolloutStrategySerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """The last wave must be the rest: without labels, percent and count. Admin only."""
        body = self.read_body(CreateStrategyBody)
        row = create_strategy(strategy=strategy_from_json(body.pop("name"), body), actor=self.actor)
        return Response(RolloutStrategySerializer(row).data, status=201)

    @extend_schema(
        operation_id="get_rollout_strategy",
        tags=["rollouts"],
        summary="Get a strategy",
        responses=RolloutStrategySerializer,
    )
    def retrieve(self, request: Request, *, strategy_id: UUID) -> HttpResponse:
        """Admin, or any generator."""
        return self.answer(RolloutStrategySerializer(find_strategy(strategy_id)))

    @extend_schema(
        operation_id="update_rollout_strategy",
        tags=["rollouts"],
        summary="Change a strategy",
        request=UpdateStrategyBody,
        responses=RolloutStrategySerializer,
    )
    def update(self, request: Request, *, strategy_id: UUID) -> Response:
        """Takes the whole object or only the changed fields. Rollouts under way keep their copy. Admin only."""
        changes = self.read_body(UpdateStrategyBody)
        with transaction.atomic():
            row = self._locked(strategy_id)
            name = changes.pop("name", row.name)
            strategy = strategy_from_json(name, row.definition | changes)
            row = update_strategy(row=row, strategy=strategy, actor=self.actor)
        return Response(RolloutStrategySerializer(row).data)

    @extend_schema(
        operation_id="delete_rollout_strategy",
        tags=["rollouts"],
        summary="Delete a strategy",
        responses={204: None},
    )
    def destroy(self, request: Request, *, strategy_id: UUID) -> Response:
        """Not while a stack has it. Rollouts under way go on. Admin only."""
        with transaction.atomic():
            delete_strategy(row=self._locked(strategy_id), actor=self.actor)
        return Response(status=204)

    def _locked(self, strategy_id: UUID) -> RolloutStrategy:
        row = lock_strategy(strategy_id)
        self.require_match(RolloutStrategySerializer(row))
        return row


class StackStrategyViewSet(KeyedViewSet):
    """By which strategy new versions of one stack reach the fleet."""

    queryset = StackRolloutStrategy.objects.all()
    serializer_class = StackStrategySerializer
    permission_classes = [MaySeeRollouts]
    optional_body = frozenset({"destroy"})

    @extend_schema(
        operation_id="get_stack_rollout_strategy",
        tags=["rollouts"],
        summary="Get a stack's strategy",
        responses=StackStrategySerializer,
    )
    def retrieve(self, request: Request, *, stack_id: UUID) -> HttpResponse:
        """404 `stack_has_no_strategy` where new versions reach everybody at once. Admin, or the generator that owns the
        stack.
        """
        stack = find_stack(stack_id)
        require_owner(self.caller, stack)
        row = self._row_of(stack)
        if row is None:
            raise StackHasNoStrategy(id=stack.pk)
        return self.answer(StackStrategySerializer(row))

    @extend_schema(
        operation_id="set_stack_rollout_strategy",
        tags=["rollouts"],
        summary="Give a stack a strategy",
        request=StackStrategyBody,
        responses=StackStrategySerializer,
    )
    @planned(takes_away=False)
    def update(self, request: Request, *, stack_id: UUID) -> Response:
        """Its next versions go by it. Admin, or the generator that owns the stack; only an admin may replace the
        strategy that a stack has, and says why.
        """
        body = self.read_body(StackStrategyBody)
        with transaction.atomic():
            row = set_stack_strategy(
                stack=self._locked(stack_id),
                name_or_id=body["strategy"],
                reason=body["reason"],
                actor=self.actor,
            )
        return Response(StackStrategySerializer(row).data)

    @extend_schema(
        operation_id="remove_stack_rollout_strategy",
        tags=["rollouts"],
        summary="Take a stack's strategy away",
        request=OptionalReasonBody,
        responses={204: None},
    )
    @planned(takes_away=False)
    def destroy(self, request: Request, *, stack_id: UUID) -> Response:
        """Its next versions reach everybody at once. Needs the right to bypass, which admins have, and a reason."""
        body: Any = self.read_body(OptionalReasonBody)
        with transaction.atomic():
            remove_stack_strategy(stack=self._locked(stack_id), reason=body["reason"], actor=self.actor)
        return Response(status=204)

    def _locked(self, stack_id: UUID) -> Stack:
        stack = lock_stack(stack_id)
        require_owner(self.caller, stack)
        row = self._row_of(stack)
        current = None if row is None else to_json(StackStrategySerializer(row).data)
        require_match(self.request._request, current)
        return stack

    def _row_of(self, stack: Stack) -> StackRolloutStrategy | None:
        return StackRolloutStrategy.objects.select_related("strategy").filter(stack=stack).first()
