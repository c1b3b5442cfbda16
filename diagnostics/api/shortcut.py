"""The shortcut for an agent that looks for diagnostics and finds none: one statement. Otherwise the view answers."""

from agents.api.shortcuts import nothing_waits
from diagnostics.open_requests import look_for_diagnostics

pending_shortcut = nothing_waits(look_for_diagnostics)
