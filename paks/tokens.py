"""The text of a key: `<prefix>_<short token>_<long token>`. Pure; the format is that of existing keys."""

import hashlib
import secrets
from dataclasses import dataclass, field

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHORT_TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Token:
    """A key's three parts. Its repr shows no secret."""

    prefix: str
    short: str
    long: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, to be shown once."""
        return f"{self.prefix}_{self.short}_{self.long}"

    @property
    def hash(self) -> str:
        """Lower-case hex SHA-256 of the long token alone. It holds 192 random bits, so no slow hash is needed."""
        return hashlib.sha256(self.long.encode("utf-8", "surrogatepass")).hexdigest()


def generate_token(*, prefix: str, short_prefix: str, short_length: int, long_bytes: int) -> Token:
    """A new key from the system's random source: `long_bytes` bytes in base58, the short token cut to length."""
    short = base58(secrets.token_bytes(_SHORT_TOKEN_BYTES))
    return Token(
        prefix=prefix,
        short=f"{short_prefix}{short}"[:short_length] if short_prefix else short,
        long=base58(secrets.token_bytes(long_bytes)),
    )


def split_token(text: str) -> Token | None:
    """The parts of a key, or None when it has not exactly three.

    A text with white space is no key either: it may follow another scheme. Nor is one with NUL, which databases refuse.
    """
    parts = text.split("_")
    is_word = text.split() == [text] and "\0" not in text
    return Token(*parts) if len(parts) == 3 and parts[2] and is_word else None


def base58(data: bytes) -> str:
    """Bitcoin's base58. Each leading zero byte becomes a leading `1`."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits
