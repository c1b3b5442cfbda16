"""What the settings tell `manage.py doctor`: importing a module of checks registers those in it."""

from config.installation_checks import database, machine, variables, worker

__all__ = ["database", "machine", "variables", "worker"]
