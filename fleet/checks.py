"""What an explanation is made of: the checks of the chain, and the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CheckName(StrEnum):
    """The checks of the chain, in their order."""

    STACK = "stack"
    ASSOCIATION = "association"
    REGISTRATION = "registration"
    AGENT_ACTIVE = "agent_active"
    AGENT_SEEN = "agent_seen"
    CLUSTER = "cluster"
    FREEZE = "freeze"
    ROLLOUT = "rollout"
    OFFER = "offer"
    REPORT = "report"
    HEALTH = "health"


class CheckStatus(StrEnum):
    """`blocked`: the version gets no further than this check. `unknown`: no information, so nothing is blocked."""

    OK = "ok"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """The conclusion of the chain: that of the first blocked check, or one of the last four when none is blocked."""

    STACK_DELETED = "stack_deleted"
    NOT_ASSOCIATED = "not_associated"
    NOT_REGISTERED = "not_registered"
    AGENT_INACTIVE = "agent_inactive"
    AGENT_NEVER_SEEN = "agent_never_seen"
    AGENT_SILENT = "agent_silent"
    CLUSTER_UNREACHABLE = "cluster_unreachable"
    NOTHING_PUBLISHED = "nothing_published"
    FROZEN = "frozen"
    HELD_BACK = "held_back"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    PENDING = "pending"
    REMOVAL_PENDING = "removal_pending"
    DEPLOYED = "deployed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a sentence for people, the same as values for programs, and its verdict when it is blocked."""

    name: CheckName
    status: CheckStatus
    sentence: str
    details: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None


def ok(name: CheckName, sentence: str, **details: object) -> Check:
    return Check(name, CheckStatus.OK, sentence, details)


def unknown(name: CheckName, sentence: str, **details: object) -> Check:
    return Check(name, CheckStatus.UNKNOWN, sentence, details)


def blocked(name: CheckName, verdict: Verdict, sentence: str, **details: object) -> Check:
    return Check(name, CheckStatus.BLOCKED, sentence, details, verdict)


def time_words(at: datetime) -> str:
    """A moment as sentences spell it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
