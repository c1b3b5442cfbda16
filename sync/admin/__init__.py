"""The admin's pages of what agents must remove."""

from sync.admin.removals import RemovalAdmin

__all__ = ["RemovalAdmin"]
