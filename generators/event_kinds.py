"""What can happen to generators."""

from core.events import EventKind


class GeneratorEventKind(EventKind):
    GENERATOR_CREATED = "generator.created"
    GENERATOR_DELETED = "generator.deleted"
    GENERATOR_UPDATED = "generator.updated"
