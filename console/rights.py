"""Who may give which rights. Nobody can give a right they lack, or change a user who has more rights."""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Exists, OuterRef, Q, QuerySet


def held_by(user: User) -> QuerySet[Permission]:
    """The permissions of the user and of the user's groups, also when the user is inactive and may be active again."""
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(
        pk__in=Permission.objects.filter(Q(group__user=user) | Q(user=user)).values("pk")
    )


def has_more(user: User, *, than: User) -> bool:
    """Whether `user` has any right that `than` lacks. A superuser has more rights than all others."""
    if than.is_superuser:
        return False
    return user.is_superuser or _beyond(than).filter(pk__in=held_by(user).values("pk")).exists()


def grants_more(group: Group, *, than: User) -> bool:
    """Whether the group gives its members any right that `than` lacks."""
    return not grantable_by(than).filter(pk=group.pk).exists()


def grantable_by(user: User) -> QuerySet[Group]:
    """The groups that give no right that the user lacks."""
    if user.is_superuser:
        return Group.objects.all()
    of_group = Group.permissions.through._default_manager.filter(group=OuterRef("pk"))
    return Group.objects.filter(~Exists(of_group.filter(permission__in=_beyond(user))))


def _beyond(user: User) -> QuerySet[Permission]:
    return Permission.objects.exclude(pk__in=held_by(user).values("pk"))
