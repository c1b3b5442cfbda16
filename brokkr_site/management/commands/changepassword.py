"""Here, because the first of the installed apps wins over Django's own."""

from django.contrib.auth.management.commands import changepassword

from console.commands import SiteUserCommand


class Command(SiteUserCommand, changepassword.Command):
    pass
