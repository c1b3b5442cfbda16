"""The kinds of events about agents and what they are given."""

from core.events import EventKind


class AgentEventKind(EventKind):
    AGENT_ANNOTATION_ADDED = "agent.annotation_added"
    AGENT_ANNOTATION_REMOVED = "agent.annotation_removed"
    AGENT_CREATED = "agent.created"
    AGENT_DELETED = "agent.deleted"
    AGENT_DEREGISTERED = "agent.deregistered"
    AGENT_LABEL_ADDED = "agent.label_added"
    AGENT_LABEL_REMOVED = "agent.label_removed"
    AGENT_RECOVERED = "agent.recovered"
    AGENT_REGISTERED = "agent.registered"
    AGENT_SILENT = "agent.silent"
    AGENT_TARGET_ADDED = "agent.target_added"
    AGENT_TARGET_REMOVED = "agent.target_removed"
    AGENT_UPDATED = "agent.updated"
    DEPLOYMENT_APPLIED = "deployment.applied"
    DEPLOYMENT_FAILED = "deployment.failed"
