"""The examples that the API's document takes from the apps, for what all operations share."""

from typing import Any

from core.api.openapi.document import complete
from core.api.openapi.error_answers import error_answer
from core.errors import InvalidPath, UniqueViolation
from rollouts.errors import Frozen
from stacks.errors import StackNotFound

_EXAMPLES = {
    400: InvalidPath("'7' in the path is not a UUID.", name="stack_id"),
    404: StackNotFound(id="0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"),
    409: UniqueViolation(constraint="unique_stack_name"),
}
# By the name of a field: where the ids are that a caller may put there.
_ID_SOURCES = {
    "id": "of a version, from `GET /stacks/{stack_id}/deployment-objects`",
    "agent_id": "from `GET /agents`",
    "stack_id": "from `GET /stacks`",
    "generator_id": "from `GET /generators`",
    "deployment_object_id": "from `GET /agents/{agent_id}/target-state`",
    "template_id": "from `GET /templates`",
    "claim_token": "from the answer to the claim",
}
_METRICS = "# TYPE brokkr_stacks_total untyped\nbrokkr_stacks_total 3.0\n"

_LOCKED = error_answer(
    "A freeze holds, which `details` names.",
    Frozen(
        freeze_id="0193f0e0-77aa-7b1c-9d2e-3f4a5b6c7d8e",
        scope="fleet",
        reason="Black Friday",
    ),
)
_OVERRIDE = {
    "in": "header",
    "name": "X-Brokkr-Override-Freeze",
    "schema": {"type": "string"},
    "description": "Why it is to be done although a freeze holds; goes into the audit log. Without a reason, or with a "
    "key that is no admin's, it overrides nothing, and the refusal, or a warning of the publication, says so.",
}
# The target state is a list, and the others are told by the id of something else.
_TAGGED = {
    "get_diagnostic",
    "get_provenance",
    "get_target_state",
    "get_stack_rollout_strategy",
    "set_stack_rollout_strategy",
    "remove_stack_rollout_strategy",
}
# Deletions that a reference to the row refuses.
_REFUSED_WHILE_IN_USE = {"delete_rollout_strategy"}
# Their versions wait for the end of the freeze.
_HELD_WHILE_FROZEN = {"create_deployment_object", "instantiate_template"}
# What would change who serves what, delete something, or reach agents at once.
_REFUSED_WHILE_FROZEN = {
    "add_target",
    "agents_add_annotation",
    "agents_add_label",
    "agents_remove_annotation",
    "agents_remove_label",
    "create_agent",
    "delete_agent",
    "delete_generator",
    "delete_stack",
    "deregister_agent",
    "register_agent",
    "release_deployment_object",
    "remove_target",
    "roll_back_rollout",
    "skip_rollout",
    "stacks_add_annotation",
    "stacks_add_label",
    "stacks_remove_annotation",
    "stacks_remove_label",
    "update_stack",
}


def complete_document(
    *,
    result: dict[str, Any],
    **context: object,  # noqa: ARG001  # whom the document is for; it is the same for everybody
) -> dict[str, Any]:
    """Spectacular's hook, called once with the document that the views make."""
    document = complete(result, examples=_EXAMPLES, id_sources=_ID_SOURCES, metrics=_METRICS, tagged=_TAGGED)
    for path in document["paths"].values():
        for operation in path.values():
            if operation["operationId"] in _REFUSED_WHILE_FROZEN | _HELD_WHILE_FROZEN:
                operation.setdefault("parameters", []).append(_OVERRIDE)
            if operation["operationId"] in _REFUSED_WHILE_FROZEN:
                operation["responses"]["423"] = {"$ref": "#/components/responses/Locked"}
            if operation["operationId"] in _REFUSED_WHILE_IN_USE:
                operation["responses"]["409"] = {"$ref": "#/components/responses/Conflict"}
            operation["responses"] = dict(sorted(operation["responses"].items()))
    document["components"]["responses"]["Locked"] = _LOCKED
    return document
