"""The admin's pages of stacks and their versions; one module per page."""

from stacks.admin import finders, generator_keys
from stacks.admin.stacks import StackAdmin
from stacks.admin.versions import DeploymentObjectAdmin

__all__ = ["DeploymentObjectAdmin", "StackAdmin", "finders", "generator_keys"]
