from stacks.models.deployment_object import DeploymentObject
from stacks.models.history import StackAnnotationHistory, StackLabelHistory, StackOwnerHistory
from stacks.models.stack import Stack, StackAnnotation, StackLabel

__all__ = [
    "DeploymentObject",
    "Stack",
    "StackAnnotation",
    "StackAnnotationHistory",
    "StackLabel",
    "StackLabelHistory",
    "StackOwnerHistory",
]
