"""The examples that the API's document takes from the apps, for what all operations share."""

from typing import Any

from core.api.openapi.document import complete
from core.errors import InvalidPath, UniqueViolation
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
_METRICS = "# TYPE brokkr_stacks_total gauge\nbrokkr_stacks_total 3.0\n"


def complete_document(
    *,
    result: dict[str, Any],
    **context: object,  # noqa: ARG001  # whom the document is for; it is the same for everybody
) -> dict[str, Any]:
    """Spectacular's hook, called once with the document that the views make."""
    return complete(result, examples=_EXAMPLES, id_sources=_ID_SOURCES, metrics=_METRICS)
