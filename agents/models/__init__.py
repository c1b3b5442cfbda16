from agents.models.agent import Agent, AgentAnnotation, AgentHeartbeat, AgentLabel
from agents.models.event import AgentEvent, MarkerDelivery, StackReport
from agents.models.hold import HoldReason, VersionHold, VersionRelease
from agents.models.offer import AgentOffer
from agents.models.registration import Registration
from agents.models.target import AgentTarget

__all__ = [
    "Agent",
    "AgentAnnotation",
    "AgentEvent",
    "AgentHeartbeat",
    "AgentLabel",
    "AgentOffer",
    "AgentTarget",
    "HoldReason",
    "MarkerDelivery",
    "Registration",
    "StackReport",
    "VersionHold",
    "VersionRelease",
]
