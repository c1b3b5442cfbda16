"""Replaces Django's command: Django takes a command from the first installed app that has it."""

from django.contrib.auth.management.commands import changepassword

from console.commands import SiteUserCommand


class Command(SiteUserCommand, changepassword.Command):
    pass
