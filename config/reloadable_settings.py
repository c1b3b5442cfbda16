"""The settings that may change while the broker runs: what they are called, and what they are now.

They come from the environment or, where that says nothing, from the TOML file that BROKKR_CONFIG_FILE names. Its
sections and keys are those of `Reloadable.key`. Everything else is read once, at the start, from the environment.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.env import env_bool, env_choice, env_int, env_list, env_str, fall_back_on

CONFIG_FILE = env_str("BROKKR_CONFIG_FILE")
WATCHED = env_bool("BROKKR_CONFIG_WATCHER_ENABLED", default=True) and bool(CONFIG_FILE)
# A file counts as completely written when it has not changed for this long.
DEBOUNCE_SECONDS = env_int("BROKKR_CONFIG_WATCHER_DEBOUNCE_SECONDS", 5, minimum=0, maximum=3600)


@dataclass(frozen=True, slots=True)
class Reloadable:
    """A setting by its public key, the name of its Django setting, and its reader."""

    key: str
    name: str
    read: Callable[[str], Any]

    @property
    def variable(self) -> str:
        return "BROKKR__" + self.key.upper().replace(".", "__")


def _level(variable: str) -> str:
    return env_choice(variable, "info", {"trace", "debug", "info", "warn", "error"})


def _origins(variable: str) -> list[str]:
    origins = env_list(variable, "http://localhost:3001")
    for origin in origins:
        scheme, _, rest = origin.partition("://")
        if origin != "*" and (scheme not in {"http", "https"} or not rest or "/" in rest):
            raise ImproperlyConfigured(
                f"{variable} holds {origin!r}; an origin is http(s)://host[:port], or * for any."
            )
    return origins


def _number(default: int, *, minimum: int, maximum: int) -> Callable[[str], int]:
    return lambda variable: env_int(variable, default, minimum=minimum, maximum=maximum)


RELOADABLE = (
    Reloadable("log.level", "LOG_LEVEL", _level),
    Reloadable(
        "broker.diagnostic_cleanup_interval_seconds",
        "DIAGNOSTIC_CLEANUP_INTERVAL_SECONDS",
        _number(900, minimum=1, maximum=86400),
    ),
    Reloadable(
        "broker.diagnostic_max_age_hours", "DIAGNOSTIC_MAX_AGE_HOURS", _number(1, minimum=0, maximum=876_000)
    ),
    Reloadable(
        "broker.webhook_delivery_interval_seconds",
        "WEBHOOK_DELIVERY_INTERVAL_SECONDS",
        _number(5, minimum=1, maximum=3600),
    ),
    Reloadable(
        "broker.webhook_delivery_batch_size",
        "WEBHOOK_DELIVERY_BATCH_SIZE",
        _number(50, minimum=1, maximum=1000),
    ),
    Reloadable(
        "broker.webhook_cleanup_retention_days",
        "WEBHOOK_RETENTION_DAYS",
        _number(7, minimum=1, maximum=3650),
    ),
    Reloadable("cors.allowed_origins", "CORS_ORIGINS", _origins),
    Reloadable("cors.max_age_seconds", "CORS_PREFLIGHT_MAX_AGE", _number(3600, minimum=0, maximum=86400)),
)


def read_reloadable_settings() -> dict[str, Any]:
    """The Django settings as the environment and the file say them now.

    Raises ImproperlyConfigured with a sentence that names what is wrong.
    """
    variables = {item.key: item.variable for item in RELOADABLE}
    fall_back_on({variables[key]: value for key, value in _read_file(CONFIG_FILE, variables).items()})
    values = {item.name: item.read(item.variable) for item in RELOADABLE}
    values["CORS_ALLOW_ALL_ORIGINS"] = "*" in values["CORS_ORIGINS"]
    values["CORS_ALLOWED_ORIGINS"] = [origin for origin in values["CORS_ORIGINS"] if origin != "*"]
    return values


def published(values: Mapping[str, Any]) -> dict[str, str]:
    """Each public key with its value as text; a list as a bracketed list of quoted strings."""
    return {item.key: _text(values[item.name]) for item in RELOADABLE}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return str(value)


def _read_file(path: str, known: Mapping[str, str]) -> dict[str, str]:
    if not path:
        return {}
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(
            f"BROKKR_CONFIG_FILE names {path}, which cannot be read: {error}."
        ) from error
    found: dict[str, str] = {}
    for section, members in document.items():
        for name, value in (members if isinstance(members, dict) else {"": members}).items():
            key = f"{section}.{name}".rstrip(".")
            if key not in known:
                raise ImproperlyConfigured(
                    f"{path} sets {key}, which cannot change while the broker runs; set the variable "
                    f"BROKKR__{key.upper().replace('.', '__')} instead if there is such a setting. "
                    f"The file may hold {', '.join(sorted(known))}."
                )
            found[key] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


def file_state(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """A value that changes whenever the file is written or replaced; None when there is no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
