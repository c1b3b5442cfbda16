"""Reading a moment from a value of a template: seconds, or a date in one of three forms."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from tera.errors import Failure, Fatal
from tera.values import MAX_I64, WHITE_SPACE, Value, describe

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_YEARS: Final = 400
_CYCLE_SECONDS: Final = 146_097 * 86_400
_FIRST_KEPT_YEAR: Final = 1600
_END_OF_RULES: Final = datetime(2100, 1, 1, tzinfo=UTC)
_YEARS: Final = range(-262_143, 262_143)
_SPACE: Final = f"[{WHITE_SPACE}]*"
_DATE: Final = (
    rf"{_SPACE}([+-][0-9]+|[0-9]{{1,4}}){_SPACE}-{_SPACE}([0-9]{{1,2}}){_SPACE}-{_SPACE}([0-9]{{1,2}})"
)
_TIME: Final = (
    rf"{_SPACE}([0-9]{{1,2}}){_SPACE}:{_SPACE}([0-9]{{1,2}}){_SPACE}:{_SPACE}([0-9]{{1,2}})(?:\.([0-9]+))?"
)
_DATE_ONLY = re.compile(_DATE)
_NAIVE = re.compile(rf"{_DATE}{_SPACE}T{_TIME}{_SPACE}")
_ZONED = re.compile(
    rf"{_DATE}[tT ]{_TIME}{_SPACE}"
    rf"(?:([zZ]|[uU][tT][cC])|([+\u2212-])([0-9]{{2}}){_SPACE}(?::{_SPACE})?([0-5][0-9])){_SPACE}"
)
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time with its zone, if it has one, and what a `datetime` has no room for.

    `leap` marks the sixtieth second of a minute, kept in `local` as the fifty-ninth. `cycles` counts the
    cycles of 400 years, after which the calendar repeats, by which `local` is early.
    """

    local: datetime
    nanosecond: int = 0
    leap: bool = False
    cycles: int = 0

    @property
    def year(self) -> int:
        return self.local.year + self.cycles * _CYCLE_YEARS

    @property
    def iso_year(self) -> int:
        return self.local.isocalendar().year + self.cycles * _CYCLE_YEARS

    @property
    def timestamp(self) -> int:
        """The seconds since 1970 in UTC, or in the zone that is not known."""
        local = self.local if self.local.tzinfo is not None else self.local.replace(tzinfo=UTC)
        return (local - _EPOCH) // timedelta(seconds=1) + self.cycles * _CYCLE_SECONDS


def moment_from(value: Value, zone: tzinfo | None) -> Moment:
    """Return the moment that `value` means. Raises Failure.

    The zone applies to seconds and to texts with an offset, and is ignored for others.
    """
    if isinstance(value, str):
        return _from_text(value, zone) if "T" in value else _from_date(value)
    if isinstance(value, float):
        raise Failure(f"The filter `date` needs whole seconds, not {describe(value)}.")
    if not isinstance(value, int) or isinstance(value, bool) or value > MAX_I64:
        raise Failure(f"The filter `date` needs an integer or a string, not {describe(value)}.")
    cycles, seconds = divmod(value, _CYCLE_SECONDS)
    moment = Moment((_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None), cycles=cycles)
    if moment.year not in _YEARS:
        raise Fatal(f"The date {value} is out of range.")
    if zone is None:
        return moment
    return _in_zone(replace(moment, local=moment.local.replace(tzinfo=UTC)), zone)


def _in_zone(moment: Moment, zone: tzinfo) -> Moment:
    """Return the same moment with the wall-clock time of `zone`."""
    try:
        # The rules of zones do not repeat, so they need the true year.
        true_year = moment.local.replace(year=moment.year)
        if true_year >= _END_OF_RULES:
            # The tables of the original end here, and the last rule is valid for ever.
            last = (_END_OF_RULES - timedelta(seconds=1)).astimezone(zone)
            zone = timezone(last.utcoffset() or timedelta(), last.tzname() or "")
        return replace(moment, local=true_year.astimezone(zone), cycles=0)
    except (OverflowError, ValueError):
        raise Fatal("A date in a time zone must be in the years 1 to 9999.") from None


def _from_text(text: str, zone: tzinfo | None) -> Moment:
    if len(text) <= _LONGEST:
        if found := _ZONED.fullmatch(text):
            return _zoned(found, zone)
        if found := _NAIVE.fullmatch(text):
            return _moment(found, UTC)
    raise Failure(f"The filter `date` can not read {describe(text)} as a date and time.")


def _from_date(text: str) -> Moment:
    found = _DATE_ONLY.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise Failure(f"The filter `date` can not read {describe(text)} as a date like 2024-05-01.")
    return _day(found, UTC)


def _zoned(found: re.Match[str], zone: tzinfo | None) -> Moment:
    utc, sign, hours, minutes = found.group(8, 9, 10, 11)
    offset, name = timedelta(), "+00:00"
    if not utc:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
        name = f"{'-' if offset < timedelta() else '+'}{hours}:{minutes}"
    if abs(offset) >= timedelta(days=1):
        raise Failure(
            f"The filter `date` can not read {describe(found.group())}: its offset is out of range."
        )
    moment = _moment(found, timezone(offset, name))
    return moment if zone is None else _in_zone(moment, zone)


def _moment(found: re.Match[str], zone: tzinfo) -> Moment:
    hour, minute, second = (int(part) for part in found.group(4, 5, 6))
    # Digits past the ninth are dropped, not rounded.
    nanosecond = int((found.group(7) or "0")[:9].ljust(9, "0"))
    leap = second == 60
    day = _day(found, zone)
    try:
        local = day.local.replace(hour=hour, minute=minute, second=59 if leap else second)
    except ValueError:
        raise _impossible(found) from None
    return Moment(local, nanosecond, leap, day.cycles)


def _day(found: re.Match[str], zone: tzinfo) -> Moment:
    """Return the beginning of the day."""
    year_text, month, day = found.group(1, 2, 3)
    year = int(year_text) if len(year_text) <= 7 else _YEARS.stop
    if year not in _YEARS:
        raise Failure(f"The filter `date` can not read the year {describe(year_text)}.")
    cycles, year_of_cycle = divmod(year - _FIRST_KEPT_YEAR, _CYCLE_YEARS)
    try:
        local = datetime(_FIRST_KEPT_YEAR + year_of_cycle, int(month), int(day), tzinfo=zone)
    except ValueError:
        raise _impossible(found) from None
    return Moment(local, cycles=cycles)


def _impossible(found: re.Match[str]) -> Failure:
    return Failure(f"The filter `date` can not read {describe(found.group())}: there is no such day or time.")
