from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from core import clock
from core.errors import InvalidQuery
from paks.api.permissions import AnyCaller
from paks.api.views import KeyedViewSet
from plans.api.guard import asking
from plans.api.inner_calls import call
from plans.api.serializers import PlanBody, PlanQuery, PlanSerializer
from plans.errors import PlanStale
from plans.reports import Plan, PlannedPair, report

DEFAULT_LIMIT = 100


class PlanViewSet(KeyedViewSet):
    queryset = Agent.objects.none()
    serializer_class = PlanSerializer
    permission_classes = [AnyCaller]

    @property
    def body_limit(self) -> int:
        # A manifest inside of the body is bounded again by the endpoint that takes it.
        return int(settings.MAX_MANIFEST_BYTES)

    @extend_schema(
        operation_id="make_plan",
        tags=["plans"],
        summary="Ask what a write would do",
        parameters=[PlanQuery],
        request=PlanBody,
        responses={200: PlanSerializer},
    )
    def create(self, request: Request) -> HttpResponse:
        """Nothing is changed. Who may make the write may ask for its plan. A refusal of the write is the answer here
        too, but for those that `refused_by` tells.

        Send the `digest` as `If-Plan` with the write, and it is made only if it still does the same.
        """
        query = self.read_query(PlanQuery)
        body = self.read_body(PlanBody)
        with asking() as asked:
            answer = call(request, method=body["method"], path=body["path"], body=body.get("body"))
        if asked.run is None:
            return _passed_on(answer)
        plan = report(asked.run, asked.digest, now=clock.now(), reader=self.caller)
        page, headers = _page(plan, query, request)
        context = {"pairs": page, "warnings": getattr(answer, "data", {}) or {}}
        return Response(PlanSerializer(plan, context=context).data, headers=headers)


def _passed_on(answer: HttpResponse) -> HttpResponse:
    """The refusal of the write as the answer to the plan."""
    if not isinstance(answer, Response):
        return answer
    names = {"Retry-After", "Allow"}
    headers = {name: value for name, value in answer.items() if name in names}
    return Response(answer.data, status=answer.status_code, headers=headers)


def _page(plan: Plan, query: dict[str, Any], request: Request) -> tuple[list[PlannedPair], dict[str, str]]:
    """The pairs that the query asks for, one page of them, and the headers of the answer.

    Raises InvalidQuery for a cursor that no plan gave, PlanStale if the plan differs from that of the first page.
    """
    pairs = [
        pair
        for pair in plan.pairs
        if query.get("stack_id", pair.stack_id) == pair.stack_id
        and query.get("change") in {None, pair.now, pair.eventually}
    ]
    start = 0
    if "cursor" in query:
        digest, _, offset = query["cursor"].partition("-")
        if not offset.isdecimal() or len(offset) > 9:
            raise InvalidQuery(parameter="cursor")
        if digest != plan.digest:
            raise PlanStale
        start = int(offset)
    end = start + query.get("limit", DEFAULT_LIMIT)
    headers = {"X-Total-Count": str(len(pairs))} if query["count"] else {}
    if end < len(pairs):
        following = request._request.GET.copy()
        following["cursor"] = f"{plan.digest}-{end}"
        headers["Link"] = f'<{request.path}?{urlencode(list(following.items()))}>; rel="next"'
    return pairs[start:end], headers
