"""Everything about the past of one agent, as a folder of files that an auditor reads without the broker."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import orjson
from django.conf import settings

from agents.models import Agent
from agents.wanted.past import known_since
from audit.models import AuditLog
from core.events import Actor
from history.entries import Entry, Key, Kind, Version
from history.states import state_of_agent
from history.timeline import timeline_of_agent
from history.versions import Versions
from history.windows import Span, causes_known_since
from stacks.masking import mask_secrets
from stacks.models import DeploymentObject
from stacks.services import reveal_secrets

_PAGE = 1_000
_README = """What agent {name} (cluster {cluster}, id {id}) should have had, got and said
from {since} until {until}.

summary.json    the question, and how far back the broker's history goes
timeline.jsonl  what happened, one entry per line, oldest first; `cause` names the audit entry
states.jsonl    what the agent should have had at the beginning, after each change, and at the end
audit.jsonl     the audit entries that the timeline names
versions/       the manifests, by sequence id; {masking}

All times are in UTC. Settings have no history: whether registration is required counts as it is today.
The broker deletes reports and audit entries after a time, so old ones may be missing.
"""


def export_agent(
    agent: Agent, span: Span, folder: Path, *, with_secrets: bool, actor: Actor, now: datetime
) -> Mapping[str, int]:
    """Write the files into the empty `folder`. Returns how many entries, states, audit entries and versions they hold.

    `with_secrets` writes manifests as they are; then the audit log notes each of them, inside the caller's transaction.
    """
    entries = list(_entries(agent, span))
    moments = sorted({span.since, *(entry.at for entry in entries if entry.kind == Kind.WANTED), span.until})
    known = Versions()
    states = [(at, state_of_agent(agent.pk, at, known)) for at in moments]
    named = {
        version.sequence_id
        for entry in entries
        for version in (entry.version, entry.previous)
        if version is not None
    }
    named |= {version.sequence_id for _, state in states for version in state.values()}
    causes = {entry.cause.audit_id for entry in entries if entry.cause}
    _write_lines(folder / "timeline.jsonl", map(_entry_line, entries))
    _write_lines(
        folder / "states.jsonl",
        ({"at": at, "versions": [asdict(version) for version in state.values()]} for at, state in states),
    )
    audited = AuditLog.objects.filter(id__in=causes).order_by("timestamp", "sequence")
    _write_lines(folder / "audit.jsonl", audited.values())
    _write_versions(folder / "versions", named, with_secrets=with_secrets, actor=actor)
    counts = {
        "entries": len(entries),
        "states": len(states),
        "audit_entries": len(causes),
        "versions": len(named),
    }
    summary = {
        "agent": {"id": agent.pk, "name": agent.name, "cluster_name": agent.cluster_name},
        "from": span.since,
        "to": span.until,
        "exported_at": now,
        "known_since": known_since(now),
        "causes_known_since": causes_known_since(now),
        "registration_required_today": settings.REQUIRE_REGISTRATION,
        "secrets_masked": not with_secrets,
        "counts": counts,
    }
    (folder / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    readme = _README.format(
        name=agent.name,
        cluster=agent.cluster_name,
        id=agent.pk,
        since=span.since.isoformat(),
        until=span.until.isoformat(),
        masking="as they were published" if with_secrets else "the values of Secrets are masked",
    )
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    return counts


def _entries(agent: Agent, span: Span) -> Iterator[Entry]:
    after: Key | None = None
    while True:
        page = timeline_of_agent(agent.pk, span, after=after, limit=_PAGE)
        yield from page.entries
        after = page.next_after
        if after is None:
            return


def _entry_line(entry: Entry) -> Mapping[str, object]:
    def version(one: Version | None) -> Mapping[str, object] | None:
        return asdict(one) if one else None

    return {
        "at": entry.at,
        "kind": entry.kind,
        "stack_id": entry.stack_id,
        "version": version(entry.version),
        "previous": version(entry.previous),
        "report_id": entry.report_id,
        "since": entry.since,
        "cause": asdict(entry.cause) if entry.cause else None,
    }


def _write_lines(path: Path, lines: Iterable[object]) -> None:
    with path.open("wb") as file:
        for line in lines:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _write_versions(folder: Path, sequence_ids: set[int], *, with_secrets: bool, actor: Actor) -> None:
    folder.mkdir()
    for obj in DeploymentObject.objects.filter(pk__in=sequence_ids).order_by("pk").iterator(chunk_size=50):
        text = obj.yaml_content
        if with_secrets and text:
            reveal_secrets(obj=obj, actor=actor)
        # The bytes as they were published, whatever ends their lines.
        (folder / f"{obj.pk}.yaml").write_bytes((text if with_secrets else mask_secrets(text)).encode())
