"""The string formats of JSON Schema. The time of each check is proportional to the length of the text."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from parameter_schemas.patterns import check_pattern
from tera.errors import Failure

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = (
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[zZ]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ENCODED = r"%[0-9A-Fa-f]{2}"
# What stands for itself in every part of a URI, and of an IRI.
_URI_CHARACTERS = r"A-Za-z0-9._~!$&'()*+,;=\-"
_IRI_CHARACTERS = rf"\u00a0-\U0010ffff{_URI_CHARACTERS}"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:"
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"

_DATE_TEXT = re.compile(_DATE)
_DATE_TIME_TEXT = re.compile(rf"({_DATE})[tT ](.+)")
_TIME_TEXT = re.compile(_TIME)
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    if not _DATE_TEXT.fullmatch(text):
        return False
    try:
        # The calendar repeats after 400 years. Python's calendar has no year 0.
        date.fromisoformat(f"2000{text[4:]}" if text.startswith("0000") else text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    found = _TIME_TEXT.fullmatch(text)
    if found is None:
        return False
    if found[3] != "60":
        return True
    # A leap second is always the last second of a day in UTC.
    offset = 60 * int(found[5] or 0) + int(found[6] or 0)
    minutes = 60 * int(found[1]) + int(found[2]) + (offset if found[4] == "-" else -offset)
    return minutes % (24 * 60) == 24 * 60 - 1


def _is_date_time(text: str) -> bool:
    found = _DATE_TIME_TEXT.fullmatch(text)
    return found is not None and _is_date(found[1]) and _is_time(found[2])


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return text.isascii()


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return text.isascii() and "%" not in text


def _is_host(text: str) -> bool:
    return len(text) <= 253 and _HOST.fullmatch(text) is not None


def _is_international_host(text: str) -> bool:
    if len(text) > 253 or any(label.startswith("-") or label.endswith("-") for label in text.split(".")):
        return False
    try:
        return _is_host(text.encode("idna").decode("ascii"))
    except UnicodeError:
        return False


_DOTTED_ATOMS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"')


def _is_email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    if not (_DOTTED_ATOMS.fullmatch(local) or _QUOTED.fullmatch(local)) or len(local) > 64:
        return False
    return _is_mail_domain(domain, _is_host)


def _is_international_email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    plain = "".join(character if character.isascii() else "x" for character in local)
    return _is_email(f"{plain}@x") and _is_mail_domain(domain, _is_international_host)


def _is_mail_domain(domain: str, is_host: Callable[[str], bool]) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        address = domain[1:-1]
        return _is_ipv6(address[5:]) if address.startswith("IPv6:") else _is_ipv4(address)
    return is_host(domain)


def _reference(characters: str, scheme: str) -> Callable[[str], bool]:
    """Make a check for URIs as RFC 3986 has them, but that brackets may contain only an IPv6 address."""
    # Possessive, because none of these can end earlier: going back would cost much and find nothing.
    name = rf"(?:[{characters}]++|{_ENCODED})*+"
    user = rf"(?:[{characters}:]++|{_ENCODED})*+@"
    rest = rf"(?:[{characters}:/?@]++|{_ENCODED})*+"
    # What follows two slashes is an authority, and never a path.
    authority = rf"//(?:{user})?(?:\[([0-9A-Fa-f:.]+)\]|{name})(?::[0-9]*)?(?=[/?#]|\Z)"
    pattern = re.compile(rf"(?:{scheme})(?:{authority}|(?!//)){rest}(?:#{rest})?")

    def check(text: str) -> bool:
        found = pattern.fullmatch(text)
        return found is not None and (found[1] is None or _is_ipv6(found[1]))

    return check


def _is_pattern(text: str) -> bool:
    try:
        check_pattern(text)
    except Failure:
        return False
    return True


_DURATION_TIME = r"T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DURATION_DATE = r"(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"

# RFC 6570. Operators that it reserves are allowed.
_VARIABLE_PART = rf"(?:[A-Za-z0-9_]++|{_ENCODED})++"
_VARIABLE = rf"{_VARIABLE_PART}(?:\.{_VARIABLE_PART})*+(?::[1-9][0-9]{{0,3}}|\*)?"
_EXPRESSION = rf"\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*+\}}"
_LITERALS = rf"[^%{{}}\x00-\x20\"'<>\\^`|]++|{_ENCODED}"

FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "date-time": _is_date_time,
    "time": _is_time,
    "duration": _matching(rf"P(?:{_DURATION_DATE}(?:{_DURATION_TIME})?|{_DURATION_TIME}|[0-9]+W)"),
    "email": _is_email,
    "idn-email": _is_international_email,
    "hostname": _is_host,
    "idn-hostname": _is_international_host,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "uri": _reference(_URI_CHARACTERS, _SCHEME),
    "uri-reference": _reference(_URI_CHARACTERS, f"(?:{_SCHEME})?"),
    "iri": _reference(_IRI_CHARACTERS, _SCHEME),
    "iri-reference": _reference(_IRI_CHARACTERS, f"(?:{_SCHEME})?"),
    "uri-template": _matching(rf"(?:{_LITERALS}|{_EXPRESSION})*+"),
    "uuid": _matching(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
    "json-pointer": _matching(_POINTER),
    "relative-json-pointer": _matching(rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER})"),
    "regex": _is_pattern,
}
