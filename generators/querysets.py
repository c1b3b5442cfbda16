"""Named filters over generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from core.querysets import ActiveQuerySet

if TYPE_CHECKING:
    from generators.models import Generator


class GeneratorQuerySet(ActiveQuerySet["Generator"]):
    def owners(self) -> Self:
        """Generators that own stacks; not the system generator."""
        return self.filter(is_system=False)
