"""The short way for an agent that looks for diagnostics and finds none: one statement. Otherwise the view answers."""

from agents.api.fast import nothing_waits
from diagnostics.polling import look_for_diagnostics

fast_pending = nothing_waits(look_for_diagnostics)
