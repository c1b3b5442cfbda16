"""What is in the demonstration's versions, which were inserted without a publish."""

from console.demo.context import DemoContext
from inventory.services import read_past


def fill_inventory(context: DemoContext) -> None:
    while read_past(now=context.now):
        pass
