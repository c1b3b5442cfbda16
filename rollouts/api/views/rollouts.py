import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.idempotency import idempotent
from core.api.planned import planned
from core.errors import InvalidPath
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from rollouts.access import find_rollout, listable_rollouts, require_driver
from rollouts.api.permissions import MaySeeRollouts
from rollouts.api.serializers.bodies import ApproveBody, CheckBody, OptionalReasonBody, ReasonBody
from rollouts.api.serializers.rollouts import (
    ReleasedVersionSerializer,
    RolloutCheckSerializer,
    RolloutDetailSerializer,
    RolloutListQuery,
    RolloutMemberQuery,
    RolloutMemberSerializer,
    RolloutSerializer,
)
from rollouts.members import members_with_standing
from rollouts.models import Rollout, RolloutCheck
from rollouts.services.control import abort, approve, pause, report_check, resume, skip
from rollouts.services.person_releases import release_version
from rollouts.services.rollbacks import roll_back
from stacks.access import find_object
from stacks.api.serializers import DeploymentObjectSerializer
from stacks.models import DeploymentObject

# A strategy has fifty waves at most.
_WAVE_NUMBER = re.compile("[1-9][0-9]{0,3}")
_WAVE = OpenApiParameter(
    "wave",
    {"type": "integer", "minimum": 1, "maximum": 9999},
    OpenApiParameter.PATH,
    description="The number of the wave, from 1.",
)
_CHECK = OpenApiParameter(
    "name", str, OpenApiParameter.PATH, description="The name of the check, as the strategy spells it."
)


class RolloutViewSet(KeyedViewSet):
    queryset = Rollout.objects.all()
    serializer_class = RolloutSerializer
    optional_body = frozenset({"pause", "resume"})

    def get_permissions(self) -> list[BasePermission]:
        return [IsAdmin() if self.action in {"approve", "skip"} else MaySeeRollouts()]

    @extend_schema(
        operation_id="list_rollouts",
        tags=["rollouts"],
        summary="List rollouts",
        parameters=[RolloutListQuery],
        responses=RolloutSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first, those that have ended included. An admin sees all, a generator those of its own stacks."""
        query = self.read_query(RolloutListQuery)
        rows = Rollout.objects.with_versions().filter(listable_rollouts(self.caller))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if "stack_id" in query:
            rows = rows.of_stack(query["stack_id"])
        return self.answer_list(rows, RolloutSerializer, order=("-created_at", "-id"), query=query)

    @extend_schema(
        operation_id="get_rollout",
        tags=["rollouts"],
        summary="Get a rollout with its waves",
        responses=RolloutDetailSerializer,
    )
    def retrieve(self, request: Request, *, rollout_id: UUID) -> HttpResponse:
        """How far it is, wave by wave, and what it waits for. Admin, or the generator that owns the stack."""
        return self.answer(RolloutDetailSerializer(self._find(rollout_id)))

    @extend_schema(
        operation_id="list_rollout_agents",
        tags=["rollouts"],
        summary="List the agents of a rollout's released waves",
        parameters=[RolloutMemberQuery],
        responses=RolloutMemberSerializer(many=True),
    )
    def agents(self, request: Request, *, rollout_id: UUID) -> HttpResponse:
        """By wave, with what each has made of the version. Admin, or the generator that owns the stack."""
        query = self.read_query(RolloutMemberQuery)
        rows = members_with_standing(self._find(rollout_id), now=clock.now())
        if "wave" in query:
            rows = rows.filter(wave=query["wave"])
        if "state" in query:
            rows = rows.filter(standing=query["state"])
        return self.answer_list(rows, RolloutMemberSerializer, order=("wave", "id"), query=query)

    @extend_schema(
        operation_id="pause_rollout",
        tags=["rollouts"],
        summary="Pause a rollout",
        request=OptionalReasonBody,
        responses=RolloutDetailSerializer,
    )
    def pause(self, request: Request, *, rollout_id: UUID) -> Response:
        """No further wave is released; who has the version keeps it. Admin, or the generator that owns the stack."""
        return self._change(pause, rollout_id, self.read_body(OptionalReasonBody))

    @extend_schema(
        operation_id="resume_rollout",
        tags=["rollouts"],
        summary="Resume a rollout",
        request=OptionalReasonBody,
        responses=RolloutDetailSerializer,
    )
    def resume(self, request: Request, *, rollout_id: UUID) -> Response:
        """The failures there are count no more, the deadline begins anew, and failed checks are forgotten. Admin, or
        the generator that owns the stack.
        """
        return self._change(resume, rollout_id, self.read_body(OptionalReasonBody))

    @extend_schema(
        operation_id="approve_rollout_wave",
        tags=["rollouts"],
        summary="Approve the release of a wave",
        request=ApproveBody,
        responses=RolloutDetailSerializer,
    )
    @planned()
    def approve(self, request: Request, *, rollout_id: UUID) -> Response:
        """Only of the wave that waits for it. Admin only."""
        return self._change(approve, rollout_id, self.read_body(ApproveBody))

    @extend_schema(
        operation_id="abort_rollout",
        tags=["rollouts"],
        summary="Abort a rollout",
        request=ReasonBody,
        responses=RolloutDetailSerializer,
    )
    def abort(self, request: Request, *, rollout_id: UUID) -> Response:
        """It ends. Who has the version keeps it, until somebody publishes or rolls back. Admin, or the generator that
        owns the stack.
        """
        return self._change(abort, rollout_id, self.read_body(ReasonBody))

    @extend_schema(
        operation_id="skip_rollout",
        tags=["rollouts"],
        summary="Release a version to everybody now",
        request=ReasonBody,
        responses=RolloutDetailSerializer,
    )
    @planned()
    def skip(self, request: Request, *, rollout_id: UUID) -> Response:
        """Without the waves that are left. Admin only."""
        return self._change(skip, rollout_id, self.read_body(ReasonBody))

    @extend_schema(
        operation_id="roll_back_rollout",
        tags=["rollouts"],
        summary="Roll back a rollout",
        request=ReasonBody,
        responses={201: DeploymentObjectSerializer},
    )
    @idempotent
    @planned()
    def roll_back(self, request: Request, *, rollout_id: UUID) -> Response:
        """Publishes the previous content as a new version, which is answered, for whoever has got this one. Also after
        its end, while there is no newer version. Admin, or the generator that owns the stack.
        """
        body = self.read_body(ReasonBody)
        self._find(rollout_id)
        version = roll_back(rollout_id=rollout_id, **body, actor=self.actor, now=clock.now())
        return Response(DeploymentObjectSerializer(version).data, status=201)

    @extend_schema(
        operation_id="report_rollout_check",
        tags=["rollouts"],
        summary="Report the verdict of an outside check",
        parameters=[_WAVE, _CHECK],
        request=CheckBody,
        responses=RolloutCheckSerializer,
    )
    def check(self, request: Request, *, rollout_id: UUID, wave: str, name: str) -> Response:
        """On a released wave; the latest verdict counts. Admin, or the generator that owns the stack."""
        body = self.read_body(CheckBody)
        if not _WAVE_NUMBER.fullmatch(wave):
            raise InvalidPath(f"{wave!r} in the path is not the number of a wave.", name="wave")
        self._find(rollout_id)
        check = report_check(
            rollout_id=rollout_id,
            wave=int(wave),
            name=name,
            verdict=RolloutCheck.Verdict(body["verdict"]),
            note=body["note"],
            actor=self.actor,
            now=clock.now(),
        )
        return Response(RolloutCheckSerializer(check).data)

    def _find(self, rollout_id: UUID) -> Rollout:
        rollout = find_rollout(rollout_id)
        require_driver(self.caller, rollout)
        return rollout

    def _change(self, service: Callable[..., Rollout], rollout_id: UUID, body: dict[str, Any]) -> Response:
        self._find(rollout_id)
        service(rollout_id=rollout_id, **body, actor=self.actor, now=clock.now())
        return Response(RolloutDetailSerializer(find_rollout(rollout_id)).data)


class HeldVersionViewSet(KeyedViewSet):
    queryset = DeploymentObject.objects.active()
    serializer_class = ReleasedVersionSerializer
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="release_deployment_object",
        tags=["rollouts"],
        summary="Let a held version go",
        request=ReasonBody,
        responses=ReleasedVersionSerializer,
    )
    @planned()
    def release(self, request: Request, *, object_id: UUID) -> Response:
        """For a version that is held because its content was rolled back before, or because its rollout was aborted. It
        reaches the fleet by the stack's strategy. Admin only.
        """
        reason = self.read_body(ReasonBody)["reason"]
        version = find_object(object_id)
        rollout = release_version(version=version, reason=reason, actor=self.actor, now=clock.now())
        answer = {
            "deployment_object_id": version.id,
            "sequence_id": version.sequence_id,
            "rollout_id": rollout.pk if rollout is not None else None,
        }
        return Response(ReleasedVersionSerializer(answer).data)
