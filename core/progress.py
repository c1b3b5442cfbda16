"""Shows the progress of a long command on stderr: a bar in a terminal, else a line from time to time."""

import sys
import time

_BAR = 30
_LINE_EVERY_SECONDS = 15.0


class ProgressBar:
    """Called with the name of the phase and the share of it that is done, 0 to 1."""

    def __init__(self, last_phase: str) -> None:
        self._last_phase = last_phase
        self._terminal = sys.stderr.isatty()
        self._phase, self._last = "", 0.0

    def __call__(self, phase: str, share: float) -> None:
        now, share = time.monotonic(), min(max(share, 0.0), 1.0)
        if self._terminal:
            if self._phase and phase != self._phase:
                sys.stderr.write("\n")
            filled = round(share * _BAR)
            sys.stderr.write(f"\r{phase:<11} [{'#' * filled:<{_BAR}}] {share:4.0%}")
            if share == 1.0 and phase == self._last_phase:
                sys.stderr.write("\n")
        elif phase != self._phase or now - self._last > _LINE_EVERY_SECONDS:
            sys.stderr.write(f"{phase} {share:.0%}\n")
            self._last = now
        self._phase = phase
        sys.stderr.flush()
