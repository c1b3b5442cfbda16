"""Who is calling, as a value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from paks.limits import Limits
from paks.models import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: its role, the agent or generator it is, and the key it came with.

    `is_read_only` is of admins: the caller changes nothing. `limits` are of generators: the caller reaches only the
    stacks that they name. `ends_at` is when the key ends, if that is known.
    """

    role: Role
    subject_id: UUID | None
    key_id: UUID
    key_name: str = ""
    is_read_only: bool = False
    limits: Limits | None = None
    ends_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def agent_id(self) -> UUID | None:
        return self.subject_id if self.role == Role.AGENT else None

    @property
    def generator_id(self) -> UUID | None:
        return self.subject_id if self.role == Role.GENERATOR else None

    def is_agent(self, agent_id: UUID) -> bool:
        return self.agent_id == agent_id

    def is_generator(self, generator_id: UUID | None) -> bool:
        return generator_id is not None and self.generator_id == generator_id

    def __str__(self) -> str:
        return self.role.value if self.subject_id is None else f"{self.role.value}:{self.subject_id}"
