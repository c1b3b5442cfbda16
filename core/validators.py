"""Rules about text that several resources share. Lengths are in characters, as the columns count them."""

MAX_NAME = 255
MAX_LABEL = 64


def is_name(text: str) -> bool:
    """Not blank, at most 255 characters."""
    return bool(text.strip()) and len(text) <= MAX_NAME


def is_label(text: str) -> bool:
    """1 to 64 characters, none of them white space as Unicode defines it."""
    return 0 < len(text) <= MAX_LABEL and not any(character.isspace() for character in text)
