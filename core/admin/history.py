"""Where the history of a row is read. The log of all changes is a higher app's, which registers it here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class History:
    """The list of changes, searched by a row's id. `permission`, spelled `app.verb_model`, is asked before the link."""

    url_name: str
    permission: str


_histories: list[History] = []


def register_history(log: History) -> None:
    """Say where history is read. Called in `ready()`; the last one holds."""
    _histories.append(log)


def history() -> History | None:
    """None where no app keeps a log."""
    return _histories[-1] if _histories else None
