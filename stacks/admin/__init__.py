"""The operator's pages of stacks and their deployment objects; one module per page."""

from stacks.admin.objects import DeploymentObjectAdmin
from stacks.admin.stacks import StackAdmin

__all__ = ["DeploymentObjectAdmin", "StackAdmin"]
