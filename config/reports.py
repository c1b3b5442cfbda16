"""How a finding about the installation is told, to scripts and to people."""

from django.core.checks import ERROR, CheckMessage


def as_row(message: CheckMessage) -> dict[str, str]:
    """The finding as text: `check` (its name), `level` (`error` or `warning`), `message` and `hint`."""
    return {
        "check": str(message.id).removeprefix("brokkr."),
        "level": "error" if message.level >= ERROR else "warning",
        "message": message.msg,
        "hint": message.hint or "",
    }
