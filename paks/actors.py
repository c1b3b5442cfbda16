"""The types of those who cause changes."""

from enum import StrEnum

from core.events import ADMIN_TYPE, SYSTEM_TYPE


class ActorType(StrEnum):
    """`Actor.type`: a caller's role, or the broker itself."""

    ADMIN = ADMIN_TYPE
    AGENT = "agent"
    GENERATOR = "generator"
    SYSTEM = SYSTEM_TYPE
