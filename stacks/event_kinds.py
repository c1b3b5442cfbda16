"""What can happen to stacks and their versions."""

from core.events import EventKind


class StackEventKind(EventKind):
    DEPLOYMENT_CREATED = "deployment.created"
    DEPLOYMENT_REVEALED = "deployment.revealed"
    STACK_ANNOTATION_ADDED = "stack.annotation_added"
    STACK_ANNOTATION_REMOVED = "stack.annotation_removed"
    STACK_CREATED = "stack.created"
    STACK_DELETED = "stack.deleted"
    STACK_LABEL_ADDED = "stack.label_added"
    STACK_LABEL_REMOVED = "stack.label_removed"
    STACK_UPDATED = "stack.updated"
