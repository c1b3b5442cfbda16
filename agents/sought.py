"""What somebody looks for among deployments, as a condition on rows and, in SQL, on reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from core.prepared import is_postgresql, time_parameter
from core.prepared_rows import among, list_parameter

# The collation C, because only ASCII is compared, and that is half the time.
_CONTAINS = {
    True: "f.message COLLATE \"C\" ILIKE %(contained)s ESCAPE '\\'",
    False: "f.message LIKE %(contained)s ESCAPE '\\'",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What lets a deployment through. None lets all through."""

    # In folded case; empty lets all through.
    text: str
    stacks: frozenset[UUID] | None
    # Agents and stacks that have the label.
    labelled: frozenset[UUID] | None
    # Agents and stacks whose names contain the text.
    named: frozenset[UUID]
    after: datetime | None

    def has(self, agent: UUID, stack: UUID, since: datetime | None, message: str | None) -> bool:
        """Whether a deployment is let through."""
        return (
            (self.stacks is None or stack in self.stacks)
            and (self.labelled is None or agent in self.labelled or stack in self.labelled)
            and (self.after is None or (since is not None and since >= self.after))
            and (
                not self.text
                or agent in self.named
                or stack in self.named
                or self.text in (message or "").casefold()
            )
        )

    def is_named(self) -> str:
        """A condition in SQL on the report `f`: its agent or its stack is found by its name.

        Its parameters are among those of `condition`.
        """
        return f"({among('f.agent_id', 'named')} OR {among('f.stack_id', 'named')})" if self.text else "TRUE"

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A condition in SQL on the report `f`, with its parameters by name.

        It lets through all that `has` does, but for messages that have in place of the text a letter such as the long
        s, whose folded case is ASCII. A text beyond ASCII is left to `has`, because each database folds the case of
        such letters in its own way.
        """
        parts: list[str] = []
        values: dict[str, Any] = {}
        if self.stacks is not None:
            parts.append(among("f.stack_id", "of_stacks"))
            values["of_stacks"] = list_parameter(self.stacks)
        if self.labelled is not None:
            parts.append(f"({among('f.agent_id', 'labelled')} OR {among('f.stack_id', 'labelled')})")
            values["labelled"] = list_parameter(self.labelled)
        if self.after is not None:
            parts.append("f.since >= %(began_after)s")
            values["began_after"] = time_parameter(self.after)
        if self.text:
            values["named"] = list_parameter(self.named)
        if self.text and self.text.isascii():
            parts.append(f"({self.is_named()} OR {_CONTAINS[is_postgresql()]})")
            values["contained"] = f"%{connection.ops.prep_for_like_query(self.text)}%"
        return " AND ".join(parts) or "TRUE", values


# Lets all through.
EVERYTHING = Sought("", None, None, frozenset(), None)
