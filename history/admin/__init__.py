"""Admin pages about the past of an agent and of a stack, shown as tabs of both."""

from agents.models import Agent
from core.admin import register_page
from history.admin.comparison import compare_agent
from history.admin.timeline import agent_timeline, stack_timeline
from stacks.models import Stack

# The timelines say who changed what, as the audit log does.
register_page(Agent, "timeline", "Timeline", agent_timeline, "audit.view_auditlog")
register_page(Agent, "compare", "Then and now", compare_agent, "stacks.view_stack")
register_page(Stack, "timeline", "Timeline", stack_timeline, "audit.view_auditlog")
