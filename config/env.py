"""Typed readers for environment variables.

A wrong value stops the start with a sentence that names the variable. Every variable that is read is
remembered in `READ` with its default, so that a test can compare docs/reference/settings.md with the code.
"""

import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

READ: dict[str, str] = {}

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


# Values of variables that the environment leaves unset.
_file: dict[str, str] = {}


def fall_back_on(values: Mapping[str, str]) -> None:
    """From now on, read variables that are unset or blank in the environment from `values`."""
    _file.clear()
    _file.update(values)


def _raw(name: str, default: str = "") -> str | None:
    READ[name] = default
    value = (os.environ.get(name) or "").strip() or _file.get(name, "").strip()
    return value or None


def env_str(name: str, default: str = "") -> str:
    """The variable's text, or `default` when it is unset or blank."""
    return _raw(name, default) or default


def env_secret(name: str, default: str = "") -> str:
    """Like `env_str`, and `NAME_FILE` may name a file that holds the value instead."""
    value, path = _raw(name, default), _raw(f"{name}_FILE")
    if value and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; set only one of them.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip() or default
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error}.") from error
    return value or default


def env_url(name: str) -> str:
    """The address of a site, without a slash at its end; empty when it is unset."""
    value = env_str(name).rstrip("/")
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~\-/]*)?", value):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be an address like https://brokkr.example.com."
        )
    return value


def env_bool(name: str, *, default: bool) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off, in any case."""
    value = _raw(name, "true" if default else "false")
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")


def env_int(name: str, default: int, *, minimum: int, maximum: int = 2**31 - 1) -> int:
    """A whole number within [minimum, maximum]."""
    value = _raw(name, str(default))
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a whole number from {minimum} to {maximum}."
        )
    return int(value)


def env_choice(name: str, default: str, choices: Collection[str]) -> str:
    """One of `choices`, compared without regard to case."""
    value = env_str(name, default).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(sorted(choices))}.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [item.strip() for item in env_str(name, default).split(",") if item.strip()]


def env_choices(name: str, default: str, choices: Collection[str]) -> frozenset[str]:
    """Some of `choices`, at least one, compared without regard to case."""
    values = frozenset(value.lower() for value in env_list(name, default))
    if not values or not values <= set(choices):
        raise ImproperlyConfigured(
            f"{name} is {env_str(name, default)!r}; it must name some of {', '.join(sorted(choices))}."
        )
    return values


def env_ports(name: str, default: str) -> frozenset[int] | None:
    """A comma-separated list of ports; None for `*`, which is all of them."""
    values = env_list(name, default)
    if values == ["*"]:
        return None
    if not values or not all(
        re.fullmatch(r"[0-9]{1,5}", value) and 0 < int(value) < 2**16 for value in values
    ):
        raise ImproperlyConfigured(
            f"{name} is {env_str(name, default)!r}; it must be ports from 1 to 65535, separated by commas, or *."
        )
    return frozenset(map(int, values))


def env_networks(name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """A comma-separated list of networks, `10.1.0.0/16` for instance, or single addresses."""
    try:
        return tuple(ipaddress.ip_network(value) for value in env_list(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} does not name networks: {error}.") from error


def env_hex_keys(name: str, *, default: str = "") -> list[bytes]:
    """A secret: keys of 32 bytes, each as 64 hex digits, separated by commas. `default` counts when it is unset."""
    keys = [key.strip() for key in (env_secret(name) or default).split(",") if key.strip()]
    if not all(re.fullmatch(r"[0-9A-Fa-f]{64}", key) for key in keys):
        raise ImproperlyConfigured(f"{name} must be 64 hex digits, or several such keys separated by commas.")
    return [bytes.fromhex(key) for key in keys]


def env_folder(name: str, default: Path) -> Path:
    """A folder this process may write to, made when it is not there, for its owner alone."""
    folder = Path(_raw(name, str(default)) or default)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} names {folder}, which cannot be made: {error}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} names {folder}, where this user may not write.")
    return folder
