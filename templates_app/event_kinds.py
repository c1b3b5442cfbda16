"""What can happen to templates."""

from core.events import EventKind


class TemplateEventKind(EventKind):
    TEMPLATE_ANNOTATION_ADDED = "template.annotation_added"
    TEMPLATE_ANNOTATION_REMOVED = "template.annotation_removed"
    TEMPLATE_CREATED = "template.created"
    TEMPLATE_DELETED = "template.deleted"
    TEMPLATE_LABEL_ADDED = "template.label_added"
    TEMPLATE_LABEL_REMOVED = "template.label_removed"
    TEMPLATE_REVEALED = "template.revealed"
    TEMPLATE_UPDATED = "template.updated"
