"""What this app does when the apps below send a signal."""

from typing import Any

from django.dispatch import receiver

from agents.models import Agent
from agents.signals import agent_deleted
from core import clock
from diagnostics.services import close_requests_of


@receiver(agent_deleted, dispatch_uid="diagnostics.close_requests_of_agent")
def close_requests_of_agent(agent: Agent, **kwargs: Any) -> None:
    close_requests_of(agent=agent, now=clock.now())
