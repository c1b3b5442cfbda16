from stacks.models.deployment_object import DeploymentObject
from stacks.models.stack import Stack, StackAnnotation, StackLabel

__all__ = ["DeploymentObject", "Stack", "StackAnnotation", "StackLabel"]
