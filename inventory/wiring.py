"""What this app tells the apps below when they are ready."""

from typing import Final

from inventory.conflicts import conflicts_of_version, is_in_other_stacks
from inventory.identifiers import object_key
from inventory.told_conflicts import told_conflicts
from paks.principals import Principal
from stacks.manifests import Code, Finding, Manifest
from stacks.models import DeploymentObject
from stacks.publish_warnings import register_publish_warnings

# Of how many conflicts a publish warns. The stack's page and `GET /stacks/{id}/conflicts` have all.
MAX_WARNINGS: Final = 20


def warn_of_conflicts(
    version: DeploymentObject, manifest: Manifest, reader: Principal | None
) -> list[Finding]:
    """A warning for each object that agents of the stack should have from another stack too, written otherwise."""
    objects = {object_key(obj): obj for obj in manifest.objects}
    if not is_in_other_stacks(version.stack_id, objects):
        return []
    found = conflicts_of_version(version.stack, version.pk)
    told = told_conflicts(found, version.stack_id, reader=reader)
    findings = []
    for each in told:
        obj = objects.get(each.conflict.object_key)
        if obj is not None and not each.is_note:
            count = len(each.conflict.agent_ids)
            problem = (
                f"the {obj.kind} {obj.name[:80]!r} is also in {each.others_in_words}, and {count:,} "
                f"{'agent' if count == 1 else 'agents'} should have both; they apply one over the other."
            )
            findings.append(Finding(Code.OBJECT_IN_ANOTHER_STACK, problem, obj.document, obj.line))
    return findings[:MAX_WARNINGS]


register_publish_warnings(warn_of_conflicts)
