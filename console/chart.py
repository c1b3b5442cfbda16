"""Bars of reports by the hour, as the numbers of an SVG; the template draws it and the style sheet colours it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agents.activity import CAP, Hour

WIDTH, HEIGHT = 960, 160
_GAP = 8


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    # Two boxes, one above the other: the top of each, measured from above, and its height.
    success_y: float
    success_height: float
    failure_y: float
    failure_height: float
    url: str
    words: str
    # Set at every sixth hour.
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    width: int
    height: int
    bars: Sequence[Bar]
    # The numbers on the axis, all whole: of the full height, of half of it, and of none.
    marks: Sequence[str]
    reports: str
    failures: str


def chart_of(hours: Sequence[Hour], url_of: Callable[[Hour], str]) -> Chart:
    """The chart of these hours. `url_of` gives the address of the list of an hour's reports."""
    highest = max((hour.reports for hour in hours), default=0)
    top = _round_up(highest)
    scale = HEIGHT / top if top else 0
    step = WIDTH / max(len(hours), 1)
    bars = []
    for number, hour in enumerate(hours):
        failures = hour.failures * scale
        successes = (hour.reports - hour.failures) * scale
        bars.append(
            Bar(
                x=round(number * step + _GAP / 2, 1),
                width=round(step - _GAP, 1),
                success_y=round(HEIGHT - failures - successes, 1),
                success_height=round(successes, 1),
                failure_y=round(HEIGHT - failures, 1),
                failure_height=round(failures, 1),
                url=url_of(hour),
                words=f"{hour.start:%H:%M} to {hour.start + timedelta(hours=1):%H:%M} UTC: "
                f"{_number(hour.reports)} reports, {_number(hour.failures)} of failure",
                label=f"{hour.start:%H:%M}" if number % 6 == 0 else "",
            )
        )
    return Chart(
        WIDTH,
        HEIGHT,
        bars,
        [_number(top), f"{top // 2:,}", "0"] if top else [],
        _sum([hour.reports for hour in hours]),
        _sum([hour.failures for hour in hours]),
    )


def _round_up(count: int) -> int:
    """The next round number that can be halved."""
    unit = 2 * int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // unit) * unit


def _number(count: int) -> str:
    return f"{count:,}+" if count >= CAP else f"{count:,}"


def _sum(counts: Sequence[int]) -> str:
    total = sum(counts)
    return f"more than {total:,}" if any(count >= CAP for count in counts) else f"{total:,}"
