"""Rules about text that several resources share. Lengths are in characters, as the columns count them."""

# The White_Space property of Unicode, spelled out. Regular expressions and `str.isspace` disagree between languages,
# and the published schema must mean what is checked here.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)

MAX_NAME = 255
MAX_LABEL = 64
# Reasons are shown on top of pages, in lists and in messages to chats.
MAX_REASON = 500


def is_name(text: str) -> bool:
    """Not blank, at most 255 characters."""
    return not is_blank(text) and len(text) <= MAX_NAME


def is_blank(text: str) -> bool:
    """Nothing but white space."""
    return not text.strip(WHITE_SPACE)


def is_reason(text: str) -> bool:
    """Not blank, at most 500 characters."""
    return not is_blank(text) and len(text) <= MAX_REASON


def is_label(text: str) -> bool:
    """1 to 64 characters, none of them white space as Unicode defines it."""
    return 0 < len(text) <= MAX_LABEL and not set(WHITE_SPACE) & set(text)
