"""The options by which the key commands name the owner of a key: role and id, or role and names."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agents.models import Agent
from agents.services.agents import lock_agent
from core.commands import UsageError, text_argument, uuid_argument
from generators.models import Generator
from generators.services import lock_generator
from paks.models import Role

_BY_ID, _BY_NAME, _BY_NAMES = {"id"}, {"name"}, {"name", "cluster_name"}
OWNER_OPTIONS = {Role.AGENT: [_BY_ID, _BY_NAMES], Role.GENERATOR: [_BY_ID, _BY_NAME]}


def add_owner_arguments(parser: CommandParser) -> None:
    """Add the role, and the options that say whose key it is."""
    parser.add_argument("role", choices=Role.values)
    parser.add_argument("--name", type=text_argument)
    parser.add_argument("--cluster-name", type=text_argument, help="the cluster of the agent named by --name")
    parser.add_argument("--id", type=uuid_argument, help="instead of names")


def require_one_way(role: Role, options: Mapping[str, Any], ways: list[set[str]]) -> None:
    """Raises UsageError unless the given options are exactly those of one of `ways`."""
    given = {option for option in ("id", "name", "cluster_name") if options[option] is not None}
    if given not in ways:
        spelled = ", or ".join(
            " and ".join(f"--{option.replace('_', '-')}" for option in sorted(way, reverse=True))
            for way in ways
        )
        raise UsageError(f"Name the {role.value} by {spelled}, and by nothing else.")


def find_agent(options: Mapping[str, Any]) -> Agent | None:
    """The live agent that the options name, locked. Raises AgentNotFound if there is none with the id."""
    if options["id"]:
        return lock_agent(options["id"])
    agents = Agent.objects.active().filter(name=options["name"], cluster_name=options["cluster_name"])
    agent_id = agents.values_list("id", flat=True).first()
    return lock_agent(agent_id) if agent_id else None


def find_generator(options: Mapping[str, Any]) -> Generator | None:
    """The live generator that the options name, locked. Raises GeneratorNotFound if there is none with the id."""
    if options["id"]:
        return lock_generator(options["id"])
    generators = Generator.objects.active().filter(name=options["name"])
    generator_id = generators.values_list("id", flat=True).first()
    return lock_generator(generator_id) if generator_id else None


def no_such_agent(options: Mapping[str, Any], hint: str = "") -> CommandError:
    return CommandError(
        f"There is no agent {options['name']!r} in cluster {options['cluster_name']!r}.{hint}"
    )


def no_such_generator(options: Mapping[str, Any], hint: str = "") -> CommandError:
    return CommandError(f"There is no generator named {options['name']!r}.{hint}")
