"""The admin's pages of the inventory: the search over all stacks, and what is in one version or one stack."""

from inventory.admin import contents, finders
from inventory.admin.resources import resources_view

__all__ = ["contents", "finders", "resources_view"]
