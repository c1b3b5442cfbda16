"""Refusals of questions about the past."""

from core.errors import Invalid


class WindowEmpty(Invalid):
    code = "window_empty"
    message = "The time must begin (`from`) before it ends (`to`), after the history begins and before now."
