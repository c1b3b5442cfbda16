"""What a version does to the agents that apply it, written in its manifest. Pure."""

import re
from enum import StrEnum

_OUTCOME = re.compile(r"^  outcome: (\w+)$", re.MULTILINE)
# One agent in so many is spared by bad versions, so that none is failed by everybody.
_IMMUNE = 10


class Outcome(StrEnum):
    GOOD = "good"
    # It cannot be applied.
    FAILS = "fails"
    # It is applied and does not work.
    UNHEALTHY = "unhealthy"
    # It takes the agent off the network.
    SILENCES = "silences"


def manifest_of(outcome: Outcome, serial: int) -> str:
    """A manifest that is another for each serial number."""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"
    return f"{head}data:\n  outcome: {outcome}\n  serial: '{serial}'\n"


def outcome_for(text: str, agent_number: int) -> Outcome:
    """What the manifest does to the agent of that number."""
    found = _OUTCOME.search(text)
    if found is None or agent_number % _IMMUNE == _IMMUNE - 1:
        return Outcome.GOOD
    return Outcome(found[1])
