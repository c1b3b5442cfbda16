"""Rings: groups of agents that strategies may name. An agent is in one at most: that of its label `ring=…`."""

RING = "ring="


def ring_label(name: str) -> str:
    """The label of a ring, given its name or the label itself."""
    return name if name.startswith(RING) else RING + name
