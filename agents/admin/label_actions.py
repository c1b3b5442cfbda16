"""What the list of agents does with labels."""

from agents.models import Agent
from agents.rings import RING, ring_label
from agents.services.agents import lock_agent
from core.admin import Instruction, Question, Word, bulk_action
from core.errors import InvalidLabel
from core.labels.services import add_label, remove_label
from core.validators import is_label

LABEL_ACTIONS = ("add_label_selected", "remove_label_selected", "assign_ring_selected")


def _label(typed: str) -> str:
    label = typed.strip()
    if not is_label(label):
        raise InvalidLabel(label=label)
    return label


def _ring(typed: str) -> str:
    label = ring_label(typed.strip())
    if label == RING or not is_label(label):
        raise InvalidLabel("A ring's name must have 1 to 59 characters and no white space.", label=label)
    return label


class LabelActions:
    """The actions, for the pages of agents to mix in."""

    @bulk_action(
        description="Add a label",
        question=Question(
            title="Add a label",
            consequence="An agent with the label gets the stacks that have it too.",
            button="Add the label",
        ),
        done="Label added",
        has_plan=True,
        word=Word("Label", "1 to 64 characters without white space, such as env:prod.", _label),
    )
    def add_label_selected(self, agent: Agent, instruction: Instruction) -> bool:
        locked = lock_agent(agent.pk)
        if locked.labels.filter(label=instruction.word).exists():
            return False
        add_label(owner=locked, label=instruction.word, actor=instruction.actor)
        return True

    @bulk_action(
        description="Remove a label",
        question=Question(
            title="Remove a label",
            consequence="An agent loses the stacks that only this label gives it.",
            button="Remove the label",
            is_dangerous=True,
        ),
        done="Label removed",
        has_plan=True,
        word=Word("Label", "The whole label, such as env:prod.", _label),
    )
    def remove_label_selected(self, agent: Agent, instruction: Instruction) -> bool:
        return remove_label(owner=lock_agent(agent.pk), label=instruction.word, actor=instruction.actor)

    @bulk_action(
        description="Assign to a ring",
        question=Question(
            title="Assign to a ring",
            consequence="An agent leaves the ring that it is in. A ring is a label: waves of strategies and stacks may "
            "name it.",
            button="Assign",
        ),
        done="Assigned to the ring",
        has_plan=True,
        word=Word("Ring", "Its name, such as canary; the label is ring=canary.", _ring),
    )
    def assign_ring_selected(self, agent: Agent, instruction: Instruction) -> bool:
        locked = lock_agent(agent.pk)
        labels = {label for label in locked.labels.values_list("label", flat=True) if label.startswith(RING)}
        for label in sorted(labels - {instruction.word}):
            remove_label(owner=locked, label=label, actor=instruction.actor)
        if instruction.word not in labels:
            add_label(owner=locked, label=instruction.word, actor=instruction.actor)
        return labels != {instruction.word}
