"""The people who may use the admin, in the same dress as everything else."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:

    class _Themed: ...
else:
    from unfold.admin import ModelAdmin as _Themed

admin.site.index_title = "All pages"
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, _Themed):  # type: ignore[type-arg]  # Django's class takes none at run time
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, _Themed):
    pass
