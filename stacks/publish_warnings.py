"""Warnings of a publish that depend on more than its text. Apps above register what they know."""

from collections.abc import Callable
from uuid import UUID

from stacks.manifests import Finding, Manifest
from stacks.models import DeploymentObject

# Takes the version that was published, what was read in it, and the generator that is to read the warnings; None for
# people who may see all stacks.
Warn = Callable[[DeploymentObject, Manifest, UUID | None], list[Finding]]
_sources: list[Warn] = []


def register_publish_warnings(warn: Warn) -> None:
    _sources.append(warn)


def publish_warnings(
    version: DeploymentObject, manifest: Manifest, *, generator_id: UUID | None
) -> list[Finding]:
    """All that is to be said about a version that was published just now, in the order of its text."""
    others = warnings_of_others(version, manifest, generator_id=generator_id)
    return sorted([*manifest.findings, *others], key=_place)


def _place(finding: Finding) -> tuple[bool, int, int]:
    """What is about no place comes last."""
    return finding.document is None, finding.document or 0, finding.line or 0


def warnings_of_others(
    version: DeploymentObject, manifest: Manifest, *, generator_id: UUID | None
) -> list[Finding]:
    """What only apps above know of it, on the instance that `publish_checked` returned."""
    found = [finding for warn in _sources for finding in warn(version, manifest, generator_id)]
    return [*found, *version.warnings]
