from agents.models.agent import Agent, AgentAnnotation, AgentHeartbeat, AgentLabel
from agents.models.event import AgentEvent, MarkerDelivery, StackReport
from agents.models.hearing import HearingMark
from agents.models.history import (
    AgentAnnotationHistory,
    AgentLabelHistory,
    AgentSilence,
    HoldHistory,
    MarkerDeliveryHistory,
    OfferHistory,
    RegistrationHistory,
    TargetHistory,
)
from agents.models.hold import HoldReason, VersionHold, VersionRelease
from agents.models.offer import AgentOffer
from agents.models.registration import Registration
from agents.models.target import AgentTarget

__all__ = [
    "Agent",
    "AgentAnnotation",
    "AgentAnnotationHistory",
    "AgentEvent",
    "AgentHeartbeat",
    "AgentLabel",
    "AgentLabelHistory",
    "AgentOffer",
    "AgentSilence",
    "AgentTarget",
    "HearingMark",
    "HoldHistory",
    "HoldReason",
    "MarkerDelivery",
    "MarkerDeliveryHistory",
    "OfferHistory",
    "Registration",
    "RegistrationHistory",
    "StackReport",
    "TargetHistory",
    "VersionHold",
    "VersionRelease",
]
