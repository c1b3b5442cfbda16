"""Warnings of a publish that depend on more than its text. Apps above register what they know."""

from collections.abc import Callable

from paks.principals import Principal
from stacks.manifests import Finding, Manifest
from stacks.models import DeploymentObject

# Takes the version that was published, what was read in it, and the caller that is to read the warnings; None for
# people who may see all stacks.
Warn = Callable[[DeploymentObject, Manifest, Principal | None], list[Finding]]
_sources: list[Warn] = []


def register_publish_warnings(warn: Warn) -> None:
    _sources.append(warn)


def publish_warnings(
    version: DeploymentObject, manifest: Manifest, *, reader: Principal | None
) -> list[Finding]:
    """All that is to be said about a version that was published just now, in the order of its text."""
    others = warnings_of_others(version, manifest, reader=reader)
    return sorted([*manifest.findings, *others], key=_place)


def _place(finding: Finding) -> tuple[bool, int, int]:
    """What is about no place comes last."""
    return finding.document is None, finding.document or 0, finding.line or 0


def warnings_of_others(
    version: DeploymentObject, manifest: Manifest, *, reader: Principal | None
) -> list[Finding]:
    """What only apps above know of it, on the instance that `publish_checked` returned."""
    found = [finding for warn in _sources for finding in warn(version, manifest, reader)]
    return [*found, *version.warnings]
