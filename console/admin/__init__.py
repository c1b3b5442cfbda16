"""Pages that look across apps, and those of the people who use them."""

from console.admin.users import GroupAdmin, UserAdmin

__all__ = ["GroupAdmin", "UserAdmin"]
