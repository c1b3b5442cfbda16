"""What this app does when the apps below send a signal."""

from typing import Any

from django.dispatch import receiver

from agents.models import Agent
from agents.signals import agent_deleted
from core import clock
from workorders.services.expiry import release_claims_of


@receiver(agent_deleted, dispatch_uid="workorders.release_claims_of_agent")
def release_claims_of_agent(agent: Agent, **kwargs: Any) -> None:
    release_claims_of(agent=agent, now=clock.now())
