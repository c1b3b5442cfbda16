"""The filter `date`, with the format specifiers of chrono."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from tera.arguments import Arguments
from tera.errors import Failure, Fatal
from tera.filters.moments import Moment, moment_from
from tera.filters.signature import FilterFunction
from tera.limits import Budget
from tera.values import Value

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_FOUR_DIGIT_YEARS: Final = range(10_000)

_COMPOSED: Final = {
    "D": "%m/%d/%y", "x": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "T": "%H:%M:%S", "X": "%H:%M:%S",
    "r": "%I:%M:%S %p", "c": "%a %b %e %H:%M:%S %Y", "v": "%e-%b-%Y",
}  # fmt: skip
_SPECIFIER = re.compile(r"%(?:([-_0]?)(#?)(:{0,3}z|\.[369]?f|[369]f|[A-Za-z+%]))?")


def _offset_seconds(moment: Moment) -> int:
    offset = moment.local.utcoffset()
    if offset is None:
        raise Fatal("The filter `date` can not write a time zone for seconds without `timezone`.")
    return int(offset.total_seconds())


def _offset(moment: Moment, form: str) -> str:
    """Write the offset with minutes, with minutes after a colon, with seconds, or in hours alone."""
    seconds = _offset_seconds(moment)
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    if form == "::z":
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if form == ":::z":
        return f"{sign}{seconds // 3600:02}"
    hours, minutes = divmod((seconds + 30) // 60, 60)
    return f"{sign}{hours:02}{':' if form == ':z' else ''}{minutes:02}"


def _zone_name(moment: Moment) -> str:
    _offset_seconds(moment)
    return moment.local.tzname() or ""


def _second(moment: Moment) -> int:
    return moment.local.second + moment.leap


def _fraction(moment: Moment) -> str:
    """Write as many groups of three digits as are needed, and nothing for none."""
    text = f"{moment.nanosecond:09}"
    while text.endswith("000"):
        text = text[:-3]
    return f".{text}" if text else ""


def _rfc3339(moment: Moment) -> str:
    local = moment.local
    date = f"{_padded_year(moment.year, '0')}-{local.month:02}-{local.day:02}"
    time = f"{local.hour:02}:{local.minute:02}:{_second(moment):02}"
    return f"{date}T{time}{_fraction(moment)}{_offset(moment, ':z')}"


def _week(moment: Moment, first_weekday: int) -> int:
    """Count the weeks of the year that begin on `first_weekday`, Monday being 0."""
    since = (moment.local.weekday() - first_weekday) % 7
    return (moment.local.timetuple().tm_yday + 6 - since) // 7


def _century(moment: Moment) -> int:
    if moment.year not in _FOUR_DIGIT_YEARS:
        raise Fatal("The filter `date` can not write the century of this year.")
    return moment.year // 100


def _hour12(moment: Moment) -> int:
    return moment.local.hour % 12 or 12


# Width, default padding, and what to write.
_NUMBERS: Final[Mapping[str, tuple[int, str, Callable[[Moment], int]]]] = {
    "Y": (4, "0", lambda moment: moment.year),
    "C": (2, "0", _century),
    "y": (2, "0", lambda moment: moment.year % 100),
    "G": (4, "0", lambda moment: moment.iso_year),
    "g": (2, "0", lambda moment: moment.iso_year % 100),
    "m": (2, "0", lambda moment: moment.local.month),
    "d": (2, "0", lambda moment: moment.local.day),
    "e": (2, "_", lambda moment: moment.local.day),
    "U": (2, "0", lambda moment: _week(moment, first_weekday=6)),
    "W": (2, "0", lambda moment: _week(moment, first_weekday=0)),
    "V": (2, "0", lambda moment: moment.local.isocalendar().week),
    "w": (1, "-", lambda moment: moment.local.isoweekday() % 7),
    "u": (1, "-", lambda moment: moment.local.isoweekday()),
    "j": (3, "0", lambda moment: moment.local.timetuple().tm_yday),
    "H": (2, "0", lambda moment: moment.local.hour),
    "k": (2, "_", lambda moment: moment.local.hour),
    "I": (2, "0", _hour12),
    "l": (2, "_", _hour12),
    "M": (2, "0", lambda moment: moment.local.minute),
    "S": (2, "0", _second),
    "f": (9, "0", lambda moment: moment.nanosecond),
    "s": (9, "-", lambda moment: moment.timestamp),
}
_TEXTS: Final[Mapping[str, Callable[[Moment], str]]] = {
    "B": lambda moment: _MONTHS[moment.local.month - 1],
    "b": lambda moment: _MONTHS[moment.local.month - 1][:3],
    "h": lambda moment: _MONTHS[moment.local.month - 1][:3],
    "A": lambda moment: _WEEKDAYS[moment.local.weekday()],
    "a": lambda moment: _WEEKDAYS[moment.local.weekday()][:3],
    "P": lambda moment: "am" if moment.local.hour < 12 else "pm",
    "p": lambda moment: "AM" if moment.local.hour < 12 else "PM",
    ".f": _fraction,
    ".3f": lambda moment: f".{moment.nanosecond // 10**6:03}",
    ".6f": lambda moment: f".{moment.nanosecond // 10**3:06}",
    ".9f": lambda moment: f".{moment.nanosecond:09}",
    "3f": lambda moment: f"{moment.nanosecond // 10**6:03}",
    "6f": lambda moment: f"{moment.nanosecond // 10**3:06}",
    "9f": lambda moment: f"{moment.nanosecond:09}",
    "Z": _zone_name,
    "z": lambda moment: _offset(moment, "z"),
    ":z": lambda moment: _offset(moment, ":z"),
    "::z": lambda moment: _offset(moment, "::z"),
    ":::z": lambda moment: _offset(moment, ":::z"),
    "+": _rfc3339,
    "%": lambda _moment: "%",
    "n": lambda _moment: "\n",
    "t": lambda _moment: "\t",
}


def _expand(pattern: str) -> str:
    """Replace the specifiers that stand for several others. Refuse an invalid format."""

    def expanded(found: re.Match[str]) -> str:
        padding, alternate, specifier = found.group(1, 2, 3)
        if specifier in _COMPOSED and not padding and not alternate:
            return _COMPOSED[specifier]
        if alternate:
            if specifier == "z" and not padding:
                raise Fatal("The filter `date` can not write the specifier `%#z`.")
            raise _invalid(pattern)
        if specifier not in _NUMBERS and (padding or specifier not in _TEXTS):
            raise _invalid(pattern)
        return found.group()

    return _SPECIFIER.sub(expanded, pattern)


def _invalid(pattern: str) -> Failure:
    return Failure(f"The filter `date` can not use the format `{pattern[:60]}`.")


def _padded(number: int, width: int, padding: str) -> str:
    if padding == "-":
        return str(number)
    return f"{number:{'0' if padding == '0' else ' '}{'=' if padding == '0' else '>'}{width}}"


def _padded_year(year: int, padding: str) -> str:
    """Write a year with four digits. Years with more digits have a sign."""
    if year in _FOUR_DIGIT_YEARS:
        return _padded(year, 4, padding)
    return f"{year:+}" if padding == "-" else f"{year:{'=+05' if padding == '0' else '>+5'}}"


def _formatted(moment: Moment, pattern: str) -> str:
    def written(found: re.Match[str]) -> str:
        padding, _, specifier = found.group(1, 2, 3)
        if specifier in _TEXTS:
            return _TEXTS[specifier](moment)
        width, usual, number = _NUMBERS[specifier]
        if specifier in {"Y", "G"}:
            return _padded_year(number(moment), padding or usual)
        return _padded(number(moment), width, padding or usual)

    return _SPECIFIER.sub(written, pattern)


# The zones of the package and never those of the system, so that a template gives the same text everywhere. The
# release is the same as in the original.
_ZONES: Final = resources.files("tzdata")
# A place holder in the data, which is not a zone in the original.
_NO_ZONE: Final = "Factory"


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset((_ZONES / "zones").read_text().split()) - {_NO_ZONE}


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    with _ZONES.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _date(value: Value, arguments: Arguments, budget: Budget) -> Value:
    pattern = _expand(arguments.string("format", "%Y-%m-%d"))
    budget.string(8 * len(pattern))
    zone = None
    if "timezone" in arguments:
        name = arguments.string("timezone")
        # Only names in the list may become part of a file name.
        if name not in _zone_names():
            raise Failure(f"The filter `date` knows no time zone `{name[:60]}`.")
        zone = _zone(name)
    return _formatted(moment_from(value, zone), pattern)


DATE_FILTERS: Final[Mapping[str, FilterFunction]] = {"date": _date}
