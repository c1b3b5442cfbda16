"""Reports that the broker has not confirmed yet. Each has an id of its own, so that it may be sent twice."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

# As many as the broker takes in one call.
_IN_ONE_CALL = 500
# An agent that cannot deliver for days keeps the newest.
_KEPT = 5000

Json = dict[str, Any]


@dataclass(slots=True)
class Outbox:
    """Outcomes in their order, and the latest health of each version."""

    _outcomes: dict[str, Json] = field(default_factory=dict)
    _health: dict[str, Json] = field(default_factory=dict)
    # What was last said of each version, by its id.
    _said: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def report(
        self,
        object_id: str,
        status: str,
        message: str | None,
        *,
        event_type: str = "DEPLOY",
        if_silent: bool = False,
    ) -> None:
        """Say what became of a version, unless that was said before and nothing else since.

        With `if_silent`, only if nothing at all was said of it.
        """
        said = self._said.get(object_id)
        if said == (status, message) or (if_silent and said is not None):
            return
        self._said[object_id] = (status, message)
        report_id = str(uuid4())
        self._outcomes[report_id] = {
            "report_id": report_id,
            "deployment_object_id": object_id,
            "event_type": event_type,
            "status": status,
            "message": message,
        }
        while len(self._outcomes) > _KEPT:
            del self._outcomes[next(iter(self._outcomes))]

    def has_said(self, object_id: str) -> bool:
        """Whether something was said of this version or removal."""
        return object_id in self._said

    def report_health(self, object_id: str, status: str, summary: Json, checked_at: str) -> None:
        """Say how a version is. It takes the place of what was said of it before and was not confirmed."""
        self._health[object_id] = {
            "report_id": str(uuid4()),
            "deployment_object_id": object_id,
            "status": status,
            "summary": summary,
            "checked_at": checked_at,
        }

    def to_send(self) -> dict[str, list[Json]]:
        """What the next call says: the fields `reports` and `health`."""
        outcomes, health = list(self._outcomes.values()), list(self._health.values())
        return {"reports": outcomes[:_IN_ONE_CALL], "health": health[:_IN_ONE_CALL]}

    def confirm(self, sent: dict[str, list[Json]]) -> None:
        """Forget what was in a call that was answered."""
        for report in sent["reports"]:
            self._outcomes.pop(report["report_id"], None)
        for report in sent["health"]:
            kept = self._health.get(report["deployment_object_id"])
            if kept is not None and kept["report_id"] == report["report_id"]:
                del self._health[report["deployment_object_id"]]

    def forget_said(self, kept: set[str]) -> None:
        """Forget what was said of versions that are of no interest any more."""
        self._said = {object_id: said for object_id, said in self._said.items() if object_id in kept}

    @property
    def is_empty(self) -> bool:
        return not self._outcomes and not self._health
