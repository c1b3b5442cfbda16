"""What gunicorn writes of requests: nothing, because RequestMiddleware and the lane do."""

from typing import Any

from gunicorn.glogging import Logger


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn is not typed
    """Writes no access log. gunicorn would build each line and throw it away."""

    def access(self, *_args: Any) -> None:
        """No line."""
