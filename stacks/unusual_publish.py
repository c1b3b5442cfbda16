"""What makes a publish unusual, so that an app above has more to do than usual.

Apps above register conditions. The statement that inserts the version answers all of them, so that an ordinary publish
costs no look-up.
"""

# In SQL, with the parameter %(stack)s.
_conditions: list[str] = []


def register_unusual_publish(condition: str) -> None:
    """A publish is unusual if the condition holds before it, while its stack is locked. Called in `<app>/wiring.py`."""
    _conditions.append(condition)


def question_of_unusual() -> str:
    """Whether any of the conditions holds, as an expression in SQL with the parameter %(stack)s."""
    return " OR ".join(_conditions) or "FALSE"
