"""Pages that look across apps, and the pages of users and groups."""

from console.admin.users import GroupAdmin, UserAdmin

__all__ = ["GroupAdmin", "UserAdmin"]
