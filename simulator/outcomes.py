"""What a version does to the agents that apply it, written in its manifest. Pure."""

import re
from enum import StrEnum

_OUTCOME = re.compile(r"^  outcome: (\w+)$", re.MULTILINE)


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


def outcome_of(text: str) -> Outcome:
    """What the manifest does to an agent; nothing bad where it does not say."""
    found = _OUTCOME.search(text)
    return Outcome(found[1]) if found else Outcome.GOOD
