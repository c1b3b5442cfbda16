"""Explains why an agent has or lacks the newest version of a stack: a chain of checks from the stack to the cluster.

The API and the admin show the same explanation. This module judges and is pure; `facts.py` reads the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from textwrap import shorten

from agents.models import Agent
from agents.models.event import EventStatus
from agents.querysets import ACTIVE
from agents.silence import grace_of, is_silent
from fleet.checks import Check, CheckName, CheckStatus, Verdict, blocked, ok, time_words, unknown
from fleet.facts import Facts, gather
from fleet.holding import freeze_check, rollout_check
from health.models import HealthStatus
from health.querysets import fresh_since
from inventory.conflicts import conflicts_of_agent
from inventory.told_conflicts import ToldConflict, told_conflicts
from paks.principals import Principal
from stacks.models import Stack


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole chain, always with every check, and a concluding sentence."""

    verdict: Verdict
    conclusion: str
    checks: Sequence[Check]
    # What the agent should have of this stack and of another one too.
    conflicts: Sequence[ToldConflict] = ()


def explain(*, agent: Agent, stack: Stack, now: datetime, reader: Principal | None) -> Explanation:
    """The explanation for a live agent and a stack, live or deleted. The agent's heartbeat must be loaded with it.

    `reader` is the caller that asks, or None for an operator.
    """
    conflicts = [each for each in conflicts_of_agent(agent.pk) if stack.pk in each.stack_ids]
    told = told_conflicts(conflicts, stack.pk, reader=reader)
    return replace(judge(gather(agent=agent, stack=stack, now=now), now=now), conflicts=told)


def judge(facts: Facts, *, now: datetime) -> Explanation:
    """The explanation that follows from the facts."""
    checks = (
        _stack(facts),
        _association(facts),
        _registration(facts),
        _agent_active(facts),
        _agent_seen(facts, now),
        _cluster(facts),
        freeze_check(facts),
        rollout_check(facts),
        _offer(facts),
        _report(facts),
        _health(facts, now),
    )
    first = next((check.verdict for check in checks if check.verdict is not None), None)
    verdict = first or _unblocked(facts)
    return Explanation(verdict=verdict, conclusion=_conclusion(verdict, facts, now), checks=checks)


def _stack(facts: Facts) -> Check:
    name, deleted_at = CheckName.STACK, facts.stack.deleted_at
    if deleted_at is None:
        return ok(name, "The stack exists.", deleted_at=None)
    gone = f"The stack was deleted at {time_words(deleted_at)}"
    if facts.wanted is not None:
        return ok(
            name, f"{gone}, and the agent must still remove what it deployed of it.", deleted_at=deleted_at
        )
    return blocked(
        name,
        Verdict.STACK_DELETED,
        f"{gone}, and nothing of it is left for this agent to remove.",
        deleted_at=deleted_at,
    )


def _association(facts: Facts) -> Check:
    name = CheckName.ASSOCIATION
    details = {
        "target": facts.is_target,
        "labels": list(facts.labels),
        "annotations": dict(facts.annotations),
    }
    if facts.stack.deleted_at is not None:
        if facts.wanted is not None:
            return ok(name, "The agent had reported on the stack before it was deleted.", **details)
        return unknown(name, "Nobody serves a deleted stack.", **details)
    if facts.is_removal_owed:
        return ok(
            name,
            "The agent serves the stack no longer, and must still remove what it deployed of it.",
            **details,
        )
    ways = [
        *(["the stack is its explicit target"] if facts.is_target else []),
        *(f"both carry the label {label}" for label in facts.labels),
        *(f"both carry the annotation {key}={value}" for key, value in facts.annotations.items()),
    ]
    if ways:
        return ok(name, f"The agent is associated with the stack: {', '.join(ways)}.", **details)
    return blocked(
        name,
        Verdict.NOT_ASSOCIATED,
        "The stack is no target of the agent, and they share no label and no annotation.",
        **details,
    )


def _registration(facts: Facts) -> Check:
    name = CheckName.REGISTRATION
    details = {"required": facts.needs_registration, "registered": facts.is_registered}
    if not facts.needs_registration:
        return ok(name, "Registrations are not required here.", **details)
    if facts.is_registered:
        return ok(name, "The agent is registered with the stack's generator.", **details)
    if facts.is_target:
        return ok(name, "For an explicit target registration was checked when it was made.", **details)
    if facts.stack.deleted_at is not None or facts.is_removal_owed:
        return ok(name, "Removing what was deployed needs no registration.", **details)
    return blocked(
        name,
        Verdict.NOT_REGISTERED,
        "The agent is not registered with the stack's generator, so that labels and annotations do not count.",
        **details,
    )


def _agent_active(facts: Facts) -> Check:
    name, status = CheckName.AGENT_ACTIVE, facts.agent.status
    if status == ACTIVE:
        return ok(name, "The agent is ACTIVE.", status=status)
    return blocked(
        name,
        Verdict.AGENT_INACTIVE,
        f"The agent's status is {status}; it works only while that is ACTIVE.",
        status=status,
    )


def _agent_seen(facts: Facts, now: datetime) -> Check:
    name, last = CheckName.AGENT_SEEN, facts.agent.heartbeat.last_heartbeat
    grace = int(grace_of(facts.agent).total_seconds())
    details = {"last_heartbeat": last, "silent_after_seconds": grace}
    if last is None:
        return blocked(name, Verdict.AGENT_NEVER_SEEN, "The agent has never sent a heartbeat.", **details)
    if is_silent(facts.agent, now):
        return blocked(
            name,
            Verdict.AGENT_SILENT,
            f"The agent sent its last heartbeat at {time_words(last)}, longer ago than its grace of {grace} s.",
            **details,
        )
    return ok(name, f"The agent sent its last heartbeat at {time_words(last)}.", **details)


def _cluster(facts: Facts) -> Check:
    name, beat = CheckName.CLUSTER, facts.agent.heartbeat
    details = {"k8s_reachable": beat.k8s_reachable, "k8s_reported_at": beat.k8s_reported_at}
    if beat.k8s_reachable is None or beat.k8s_reported_at is None:
        return unknown(name, "The agent does not say whether it reaches its Kubernetes API.", **details)
    at = time_words(beat.k8s_reported_at)
    if beat.k8s_reachable:
        return ok(name, f"The agent reached its Kubernetes API at {at}.", **details)
    return blocked(
        name,
        Verdict.CLUSTER_UNREACHABLE,
        f"The agent could not reach its Kubernetes API at {at}.",
        **details,
    )


def _offer(facts: Facts) -> Check:
    name, wanted = CheckName.OFFER, facts.wanted
    if wanted is None:
        if facts.stack.deleted_at is not None:
            return unknown(name, "Nothing of a deleted stack is offered.", sequence_id=None, offered=False)
        if facts.has_held:
            return blocked(
                name,
                Verdict.HELD_BACK,
                "Every version of the stack is held back, and none is released to the agent.",
                sequence_id=None,
                offered=False,
            )
        return blocked(
            name,
            Verdict.NOTHING_PUBLISHED,
            "No version of the stack has been published.",
            sequence_id=None,
            offered=False,
        )
    what = (
        f"Deletion marker #{wanted.sequence_id}"
        if wanted.is_deletion_marker
        else f"Version #{wanted.sequence_id}"
    )
    details = {
        "sequence_id": wanted.sequence_id,
        "deployment_object_id": str(wanted.id),
        "is_deletion_marker": wanted.is_deletion_marker,
        "offered": facts.is_offered,
    }
    if facts.is_offered:
        return ok(name, f"{what} is in the agent's target state.", **details)
    if facts.mode == "incremental" and _is_reported(facts):
        return ok(
            name,
            f"{what} has left the agent's target state, which is incremental, with its report.",
            **details,
        )
    return unknown(name, f"{what} is what the agent should have, and not in its target state.", **details)


def _report(facts: Facts) -> Check:
    name, report = CheckName.REPORT, facts.report
    if report is None:
        return unknown(name, "The agent has not reported on the stack.")
    details = {
        "sequence_id": report.sequence_id,
        "event_type": facts.event_type,
        "status": report.status,
        "message": report.message,
        "since": report.since,
        "reported_at": report.reported_at,
    }
    said = f"The agent's last report, at {time_words(report.reported_at)}, is {report.status} on #{report.sequence_id}"
    if facts.wanted is None:
        return unknown(name, f"{said}.", **details)
    if not _is_reported(facts):
        return unknown(name, f"{said}, which is not what it should have.", **details)
    if report.status == EventStatus.SUCCESS:
        return ok(name, f"{said}.", **details)
    # The details have the whole message, which may be long.
    reason = f': "{shorten(report.message, 200, placeholder="…")}"' if report.message else ""
    return blocked(name, Verdict.FAILED, f"{said}{reason}.", **details)


def _health(facts: Facts, now: datetime) -> Check:
    name, health = CheckName.HEALTH, facts.health
    if facts.wanted is None or facts.wanted.is_deletion_marker:
        return unknown(name, "Nothing is to run here, so that there is no health to report.")
    if health is None:
        return unknown(name, "The agent has not reported the health of this version.")
    details = {
        "status": health.status,
        "checked_at": health.checked_at,
        "reported_at": health.updated_at,
    }
    said = f"The agent reported {health.status} at {time_words(health.updated_at)}"
    if health.updated_at < fresh_since(now):
        return unknown(name, f"{said}, too long ago to count.", **details)
    if health.status == HealthStatus.UNKNOWN:
        return unknown(name, f"{said}.", **details)
    if health.status == HealthStatus.HEALTHY:
        return ok(name, f"{said}.", **details)
    return blocked(name, Verdict.UNHEALTHY, f"{said}.", **details)


def _is_reported(facts: Facts) -> bool:
    """Whether the last report is about the version that the agent should have."""
    return (
        facts.wanted is not None
        and facts.report is not None
        and facts.report.sequence_id == facts.wanted.sequence_id
    )


def _unblocked(facts: Facts) -> Verdict:
    is_removal = facts.wanted is not None and facts.wanted.is_deletion_marker
    if _is_reported(facts):
        return Verdict.REMOVED if is_removal else Verdict.DEPLOYED
    return Verdict.REMOVAL_PENDING if is_removal else Verdict.PENDING


def _conclusion(verdict: Verdict, facts: Facts, now: datetime) -> str:
    version = f"#{facts.wanted.sequence_id}" if facts.wanted else ""
    is_removal = facts.wanted is not None and facts.wanted.is_deletion_marker
    match verdict:
        case Verdict.FAILED:
            what = "could not remove the stack" if is_removal else f"could not apply version {version}"
            again = "" if facts.is_offered else ", and is not offered it again before there is a newer one"
            return f"The agent {what}{again}."
        case Verdict.UNHEALTHY:
            status = facts.health.status if facts.health else HealthStatus.UNKNOWN
            return f"Version {version} is in the cluster, and is {status}."
        case Verdict.PENDING:
            return f"Version {version} waits for the agent, which has not reported on it yet."
        case Verdict.DEPLOYED:
            known = facts.health is not None and _health(facts, now).status == CheckStatus.OK
            return f"Version {version} is deployed{' and healthy' if known else '; its health is not known'}."
        case Verdict.HELD_BACK if facts.held is not None:
            return facts.held.sentence
        case _:
            return _CONCLUSIONS[verdict]


_CONCLUSIONS = {
    Verdict.STACK_DELETED: "The stack is deleted, and the agent has nothing of it to remove.",
    Verdict.NOT_ASSOCIATED: "The agent does not serve the stack: target it, or give both a label or an annotation "
    "in common.",
    Verdict.NOT_REGISTERED: "The agent would serve the stack if it were registered with the stack's generator.",
    Verdict.AGENT_INACTIVE: "The agent does nothing before it is activated.",
    Verdict.AGENT_NEVER_SEEN: "The agent has never called: it does not run, does not reach the broker, or has no valid "
    "key.",
    Verdict.AGENT_SILENT: "The agent has stopped calling, so nothing reaches its cluster.",
    Verdict.CLUSTER_UNREACHABLE: "The agent calls, but does not reach its Kubernetes API, so it can apply nothing.",
    Verdict.FROZEN: "A newer version waits for the end of a freeze.",
    Verdict.HELD_BACK: "The agent gets a version when one is released to it, or is held no more.",
    Verdict.NOTHING_PUBLISHED: "There is nothing to deploy before a version of the stack is published.",
    Verdict.REMOVAL_PENDING: "The deletion marker waits for the agent, which has not reported on it yet.",
    Verdict.REMOVED: "The agent has removed the stack.",
}
