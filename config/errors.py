"""Refusals about settings."""

from core.errors import InternalError


class ConfigReloadFailed(InternalError):
    code = "config_reload_failed"
    message = "The settings cannot be read; those in effect stay."
