"""What can happen to users and groups of the admin site."""

from core.events import EventKind


class SiteEventKind(EventKind):
    SITE_GROUP_CREATED = "site_group.created"
    SITE_GROUP_DELETED = "site_group.deleted"
    SITE_GROUP_UPDATED = "site_group.updated"
    SITE_USER_CREATED = "site_user.created"
    SITE_USER_DELETED = "site_user.deleted"
    SITE_USER_LOCKED_OUT = "site_user.locked_out"
    SITE_USER_LOGGED_IN = "site_user.logged_in"
    SITE_USER_LOGGED_OUT = "site_user.logged_out"
    SITE_USER_PASSWORD_CHANGED = "site_user.password_changed"  # noqa: S105  # a name
    SITE_USER_UPDATED = "site_user.updated"
