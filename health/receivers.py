"""Receivers of signals from the apps below."""

from typing import Any

from django.dispatch import receiver

from agents.models import Agent
from agents.signals import agent_deleted
from health.services import forget_agent


@receiver(agent_deleted, dispatch_uid="health.forget_agent")
def forget_deleted_agent(agent: Agent, **kwargs: Any) -> None:
    forget_agent(agent=agent)
