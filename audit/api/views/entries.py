from collections.abc import Iterable
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.serializers.entries import AuditPageSerializer, AuditQuery
from audit.models import AuditLog
from core.api.pagination import paginate_rows
from paks.actors import ActorType
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from paks.subjects import subject_names

_MAX_LIMIT = 1000
_MAX_OFFSET = 2**31 - 1


class AuditLogViewSet(KeyedViewSet):
    queryset = AuditLog.objects.all()
    serializer_class = AuditPageSerializer
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_audit_logs",
        tags=["audit"],
        summary="Search the audit log",
        parameters=[AuditQuery],
        responses=AuditPageSerializer,
    )
    def list(self, request: Request) -> Response:
        """Newest first. The Link header leads to the next page by a cursor: unlike an offset, it repeats nothing when
        rows come meanwhile. Admin only.
        """
        query = self.read_query(AuditQuery)
        limit = min(max(query["limit"], 1), _MAX_LIMIT)
        offset = min(max(query["offset"], 0), _MAX_OFFSET)
        rows = AuditLog.objects.all().filter(
            **{
                name: query[name]
                for name in ("actor_type", "actor_id", "resource_type", "resource_id")
                if name in query
            }
        )
        if "action" in query:
            rows = rows.with_action(query["action"])
        if "from" in query:
            rows = rows.filter(timestamp__gte=query["from"])
        if "to" in query:
            rows = rows.filter(timestamp__lt=query["to"])
        place = {"cursor": query["cursor"]} if "cursor" in query else {"offset": offset}
        page, headers = paginate_rows(
            rows, order=["-timestamp", "-sequence"], query={"limit": limit, **place}, request=request
        )
        names = {
            **_names(ActorType.AGENT, page),
            **_names(ActorType.GENERATOR, page),
        }
        answer = AuditPageSerializer(
            {"logs": page, "total": rows.count(), "count": len(page), "limit": limit, "offset": offset},
            context={"names": names},
        )
        return Response(answer.data, headers=headers)


def _names(kind: ActorType, page: Iterable[AuditLog]) -> dict[UUID, str]:
    ids = [entry.actor_id for entry in page if entry.actor_type == kind and entry.actor_id is not None]
    return subject_names(kind.value, ids)
