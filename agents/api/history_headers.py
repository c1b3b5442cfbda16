"""What answers about the past say of themselves, in headers."""

from datetime import datetime

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from agents.wanted.past import known_since
from core.api.renderers import time_text

KNOWN_SINCE = OpenApiParameter(
    "X-Brokkr-Known-Since",
    OpenApiTypes.DATETIME,
    OpenApiParameter.HEADER,
    response=[200],
    description="In answers about the past: the earliest moment that can be asked about.",
)
SETTINGS = OpenApiParameter(
    "X-Brokkr-Settings",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    enum=["today"],
    description="In answers about the past: settings have no history, those of today count.",
)


def history_headers(now: datetime) -> dict[str, str]:
    """How far back the history goes, and that settings have none."""
    return {KNOWN_SINCE.name: time_text(known_since(now)), SETTINGS.name: "today"}
