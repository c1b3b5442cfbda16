"""Admin pages about one agent and one stack, shown as tabs of both."""

from agents.models import Agent
from core.admin import register_page
from fleet.admin.explanation import explain_agent, explain_stack
from stacks.models import Stack

register_page(Stack, "explain", "Why isn't it deployed?", explain_stack, "agents.view_agent")
register_page(Agent, "explain", "Why isn't it deployed?", explain_agent, "stacks.view_stack")
