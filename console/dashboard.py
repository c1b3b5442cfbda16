"""The numbers on the first page. Every number is the count of the list that it links to.

They cost a fixed number of queries, each bounded: counts stop at a limit, tables hold the first few rows. To add a
card, write a function that returns a Card, and put it into CARDS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count as CountOf
from django.db.models import Q
from django.urls import reverse

from agents.attention import pending, removing
from agents.deployments import Deployment
from agents.failures import FailureGroup, most_urgent
from agents.models import Agent
from agents.querysets import ACTIVE, grace_before
from agents.sought import EVERYTHING
from agents.wanted.standing import Standing
from core.admin import Count, capped_count, table_count
from generators.models import Generator
from stacks.models import DeploymentObject, Stack
from sync.services import waiting_removals
from webhooks.models import Delivery
from webhooks.models import Status as DeliveryStatus
from workorders.models import Status, WorkOrder, WorkOrderLogEntry

ROWS_SHOWN = 8
ROWS_COUNTED = 100
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and the list behind it. A tone other than "quiet" draws attention when it is not 0."""

    label: str
    count: Count
    url: str
    tone: str = "quiet"

    @property
    def is_loud(self) -> bool:
        return self.tone != "quiet" and self.count.value > 0


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Panel:
    """Deployments that need attention: how many, where they all are, and the first of them or of their groups."""

    title: str
    count: Count
    url: str
    all_is_well: str
    rows: Sequence[Deployment] = ()
    groups: Sequence[FailureGroup] = ()


def agents_card(now: datetime) -> Card:
    since = grace_before(now)
    works, heard = Q(status=ACTIVE), Q(heartbeat__last_heartbeat__gte=since)
    counts = Agent.objects.active().aggregate(
        alive=CountOf("pk", filter=works & heard),
        silent=CountOf("pk", filter=works & Q(heartbeat__last_heartbeat__lt=since)),
        never=CountOf("pk", filter=Q(heartbeat__last_heartbeat__isnull=True)),
        paused=CountOf("pk", filter=~works),
    )
    page = "agents_agent"
    return Card(
        "Agents",
        [
            Figure("alive", Count(counts["alive"]), _list(page, status="active", heard="alive"), "good"),
            Figure("silent", Count(counts["silent"]), _list(page, status="active", heard="silent"), "bad"),
            Figure("never seen", Count(counts["never"]), _list(page, heard="never"), "wait"),
            Figure("not active", Count(counts["paused"]), _list(page, status="other")),
            Figure(
                "removals to confirm",
                capped_count(waiting_removals()),
                _list("agents_markerdelivery", waits="yes"),
                "bad",
            ),
        ],
    )


def stacks_card(now: datetime) -> Card:  # noqa: ARG001  # all cards are asked alike
    generators = Generator.objects.active()
    return Card(
        "Stacks",
        [
            Figure("stacks", capped_count(Stack.objects.active()), _list("stacks_stack")),
            Figure(
                "versions", table_count(DeploymentObject), _list("stacks_deploymentobject", deleted="all")
            ),
            Figure("generators", capped_count(generators), _list("generators_generator")),
        ],
    )


def work_orders_card(now: datetime) -> Card:
    page, tones = "workorders_workorder", {Status.RETRY_PENDING: "wait"}
    figures = [
        Figure(
            Status(status).label.lower(),
            capped_count(WorkOrder.objects.filter(status=status)),
            _list(page, status__exact=status),
            tones.get(status, "quiet"),
        )
        for status in Status
    ]
    since = now - _DAY
    failed = WorkOrderLogEntry.objects.filter(completed_at__gte=since, success=False)
    url = _list("workorders_workorderlogentry", success__exact=0, **_from("completed_at", since))
    figures.append(Figure("failed within a day", capped_count(failed), url, "bad"))
    return Card("Work orders", figures)


def webhooks_card(now: datetime) -> Card:  # noqa: ARG001  # all cards are asked alike
    asked = (
        ("waiting", DeliveryStatus.PENDING, "quiet"),
        ("to be retried", DeliveryStatus.FAILED, "wait"),
        ("given up", DeliveryStatus.DEAD, "bad"),
    )
    return Card(
        "Webhook deliveries",
        [
            Figure(
                label,
                capped_count(Delivery.objects.filter(status=status)),
                _list("webhooks_delivery", status__exact=status),
                tone,
            )
            for label, status, tone in asked
        ],
    )


CARDS: Sequence[tuple[str, Callable[[datetime], Card]]] = (
    # The permission that a user needs to see the card.
    ("agents.view_agent", agents_card),
    ("stacks.view_stack", stacks_card),
    ("workorders.view_workorder", work_orders_card),
    ("webhooks.view_delivery", webhooks_card),
)


def panels() -> list[Panel]:
    """The deployments that fail, wait or are being removed, counted up to `ROWS_COUNTED` of each."""
    failed = most_urgent(ROWS_SHOWN, EVERYTHING, at_least=ROWS_COUNTED + 1)
    waiting, removed = pending(limit=ROWS_COUNTED + 1), removing(limit=ROWS_COUNTED + 1)
    return [
        Panel(
            "Failing now",
            _counted(failed.deployments),
            _deployments(Standing.FAILING),
            "No deployment is failing.",
            groups=failed.groups[:ROWS_SHOWN],
        ),
        Panel(
            "Pending now",
            _counted(len(waiting)),
            _deployments(Standing.PENDING),
            "Every agent that is heard has reported on the newest versions.",
            rows=waiting[:ROWS_SHOWN],
        ),
        Panel(
            "Being removed",
            _counted(len(removed)),
            _deployments(Standing.REMOVING),
            "",
            rows=removed[:ROWS_SHOWN],
        ),
    ]


def _counted(number: int) -> Count:
    return Count(min(number, ROWS_COUNTED), number <= ROWS_COUNTED)


def _deployments(standing: Standing) -> str:
    return f"{reverse('admin:deployments')}?{urlencode({'state': standing})}"


def events_url(start: datetime, end: datetime, **filters: object) -> str:
    """The list of reports from `start` to the second before `end`, including those of deleted agents."""
    until = {"created_at_to": _typed(end - timedelta(seconds=1))}
    return _list("agents_agentevent", deleted="all", **_from("created_at", start), **until, **filters)


def _list(page: str, **query: object) -> str:
    url = reverse(f"admin:{page}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def _from(field: str, moment: datetime) -> dict[str, object]:
    return {f"{field}_from": _typed(moment)}


def _typed(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"
