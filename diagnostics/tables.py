"""Reads what agents found as rows of tables: pods and events, as our agent and those of Brokkr in Rust spell them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.utils.dateparse import parse_datetime

# Rows that a page shows. What the agent sent has all of them.
MAX_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are texts, or moments in UTC. A column without any is left out; `more` rows are left out."""

    headers: list[str]
    rows: list[list[str | datetime]]
    more: int


def pods_table(found: Any) -> Table | None:
    """The pods of a result, those that are not ready first; None if it is not a list of pods."""
    return _table(["Pod", "Phase", "Ready", "Restarts", "State"], found, _is_pod, _pod, _is_ready)


def events_table(found: Any) -> Table | None:
    """The events of a result, the newest first; None if it is not a list of events."""
    headers = ["Last seen", "Type", "Reason", "Object", "Count", "Message"]
    return _table(headers, found, _is_event, _event, lambda event: _age(_last_seen(event)))


def _table(
    headers: list[str],
    found: Any,
    is_row: Callable[[Mapping[str, Any]], bool],
    row: Callable[[Mapping[str, Any]], list[str | datetime]],
    order: Callable[[Mapping[str, Any]], Any],
) -> Table | None:
    if not isinstance(found, list) or not all(isinstance(each, dict) and is_row(each) for each in found):
        return None
    rows = [row(each) for each in sorted(found, key=order)[:MAX_ROWS]]
    said = [number for number in range(len(headers)) if any(each[number] for each in rows)]
    return Table(
        [headers[number] for number in said],
        [[each[number] for number in said] for each in rows],
        len(found) - len(rows),
    )


def _is_pod(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get("name"), str)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    containers = _dicts(pod.get("containers"))
    return bool(containers) and all(each.get("ready") is True for each in containers)


def _pod(pod: Mapping[str, Any]) -> list[str | datetime]:
    containers = _dicts(pod.get("containers"))
    restarts = [_either(each, "restartCount", "restart_count") for each in containers]
    ready = sum(each.get("ready") is True for each in containers)
    return [
        "/".join(filter(None, (_text(pod.get("namespace")), _text(pod["name"])))),
        _text(pod.get("phase")),
        f"{ready} of {len(containers)}" if containers else "",
        ", ".join(_text(each) for each in restarts if each is not None),
        "; ".join([*_states(containers), *_unmet(pod)]),
    ]


def _states(containers: list[dict[str, Any]]) -> Iterator[str]:
    """Of each container that is not ready its state, with the reason for it."""
    for each in containers:
        if each.get("ready") is True:
            continue
        state: Any = each.get("state")
        reason, message = each.get("state_reason"), each.get("state_message")
        if isinstance(state, dict) and len(state) == 1:
            ((state, why),) = state.items()
            if isinstance(why, dict):
                reason, message = why.get("reason"), why.get("message")
        yield _sentence(_text(each.get("name")), _text(reason) or _text(state).lower(), _text(message))


def _unmet(pod: Mapping[str, Any]) -> Iterator[str]:
    """The conditions that do not hold and say why. Containers say for themselves why they are not ready."""
    for each in _dicts(pod.get("conditions")):
        if each.get("status") == "False" and each.get("message") and not pod.get("containers"):
            kind = _text(_either(each, "type", "condition_type"))
            yield _sentence(kind, _text(each.get("reason")), _text(each["message"]))


def _is_event(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get("message"), str) or isinstance(found.get("reason"), str)


def _event(event: Mapping[str, Any]) -> list[str | datetime]:
    return [
        _last_seen(event),
        _text(_either(event, "type", "event_type")),
        _text(event.get("reason")),
        _text(_either(event, "object", "involved_object")),
        _text(event.get("count")),
        _text(event.get("message")),
    ]


def _last_seen(event: Mapping[str, Any]) -> str | datetime:
    """A moment, if it can be read as one."""
    said = _text(_either(event, "lastTimestamp", "last_timestamp"))
    try:
        at = parse_datetime(said)
        return said if at is None or at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return said


def _age(at: str | datetime) -> float:
    return -at.timestamp() if isinstance(at, datetime) else 0


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _either(found: Mapping[str, Any], name: str, other: str) -> Any:
    return found[name] if found.get(name) is not None else found.get(other)


def _sentence(*parts: str) -> str:
    return ": ".join(filter(None, parts))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
