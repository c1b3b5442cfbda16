"""The two errors that this package raises, and the one that is used only inside it."""


class TemplateError(Exception):
    """A template cannot be used; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column})"


class TemplateSyntaxError(TemplateError):
    """The template is not valid: no parameters could make it render."""


class TemplateRenderError(TemplateError):
    """The template is valid, but not with these parameters or within its budget."""


class Failure(Exception):
    """An operation failed at `position`, the offset in the source of the innermost expression."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position

    def locate(self, position: int) -> None:
        """Store the position of the failure, unless an inner expression has stored it already."""
        if self.position is None:
            self.position = position


class Fatal(Failure):
    """A failure that ends the rendering even inside a condition, where other failures count as false."""


class OverBudget(Fatal):
    """The rendering needs more than it may use."""
