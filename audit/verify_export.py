#!/usr/bin/env python3
"""Checks what `manage.py export_audit` wrote, without a database and without the broker, by Python and `cryptography`.

    python verify_export.py FILE --trust KEY [--trust KEY …] [--expect HASH]

Copy this one file. KEY is a public key that you did not get with FILE. Exit codes: 0 all seals hold, 1 one does not or
FILE is no whole export, 2 wrong usage. The broker itself uses the functions that say what is hashed.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "brokkr-audit-export-1"


class Broken(Exception):
    """Which seal or line is the first that does not hold, and why: changed, missing or added."""


def canonical(value: object) -> bytes:
    """JSON that two databases spell alike: sorted names, no blanks, ASCII, numbers with a fraction as text."""
    spelled = json.loads(json.dumps(value), parse_float=str)
    return json.dumps(spelled, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def part_digest(part: Mapping[str, Any]) -> str:
    """The digest of who did it, or of what was done. It is all that is left of a part that was erased."""
    return str(part["erased"]) if "erased" in part else digest(part)


def entry_line(entry: Mapping[str, Any]) -> bytes:
    """What a seal's hash holds of one entry."""
    return canonical({**entry, **{name: part_digest(entry[name]) for name in ("author", "content")}}) + b"\n"


def seal_hash(seal: Mapping[str, Any]) -> str:
    """The hash of a seal, over all it says but the hash and the signature."""
    return digest({name: value for name, value in seal.items() if name not in {"hash", "signature"}})


def endorsed(public_key: str, endorsed_by: str) -> str:
    """What an old key signs to hand on to a new one."""
    return digest({"endorsed_by": endorsed_by, "public_key": public_key})


def is_signed(hash_: str, signature: str, public_key: str) -> bool:
    """Whether the signature over these hex digits is that key's."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), bytes.fromhex(hash_))
    except (InvalidSignature, ValueError):
        return False
    return True


def trusted_keys(trusted: Iterable[str], keys: Iterable[Mapping[str, Any]]) -> set[str]:
    """The trusted keys, and those that a trusted one has signed. `keys` are in the order in which they began."""
    known = set(trusted)
    for key in keys:
        old, new = key["endorsed_by"], key["public_key"]
        if old in known and is_signed(endorsed(new, old), key["endorsement"], old):
            known.add(new)
    return known


class Check:
    """What has been read of an export. The methods raise Broken."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self.trusted, self.hashes, self.last = set(trusted), set[str](), dict[str, Any]()
        self.lines, self.seals, self.erased, self.has_format = list[bytes](), 0, 0, False

    def line(self, text: bytes) -> None:
        ((kind, value),) = json.loads(text).items()
        self.has_format = self.has_format or kind == "format"
        if not self.has_format or (kind == "format" and value["name"] != FORMAT):
            raise Broken(f"This is no {FORMAT}.")
        {"format": len, "key": self.key, "seal": self.seal, "entry": self.entry}[kind](value)

    def key(self, value: Mapping[str, str]) -> None:
        self.trusted = trusted_keys(self.trusted, [value])

    def entry(self, value: Mapping[str, Any]) -> None:
        self.lines.append(entry_line(value))
        self.erased += any("erased" in value[part] for part in ("author", "content"))

    def seal(self, value: dict[str, Any]) -> None:
        number, key, last = value["number"], value["public_key"], self.end_of_seal()
        if last and number != last["number"] + 1:
            raise Broken(f"Seal {last['number'] + 1}: missing.")
        if not is_signed(value["hash"], value["signature"], key) or seal_hash(value) != value["hash"]:
            raise Broken(f"Seal {number}: changed. Its hash or its signature does not fit.")
        if last and value["previous_hash"] != last["hash"]:
            raise Broken(f"Seal {last['number']}: changed. The next one follows another seal.")
        if key not in self.trusted:
            raise Broken(f"Seal {number}: changed. The key {key} is not trusted.")
        self.last, self.lines, self.seals = value, [], self.seals + 1
        self.hashes |= {value["hash"], value["lost_head"]}

    def end_of_seal(self) -> dict[str, Any]:
        """The seal before this line, all of whose entries have been read; empty before the first."""
        sealed, here = self.last["entries"] if self.last else 0, len(self.lines)
        if here != sealed:
            where = f"Seal {self.last['number']}" if self.last else "Before the first seal"
            why = "missing" if here < sealed else "added"
            raise Broken(f"{where}: {why}. {sealed} entries, and here are {here}.")
        if self.last and hashlib.sha256(b"".join(self.lines)).hexdigest() != self.last["entries_hash"]:
            raise Broken(f"Seal {self.last['number']}: changed. Its entries are not those that were sealed.")
        return self.last


def verify(lines: Iterable[bytes], check: Check, expected: str) -> str:
    """A sentence about an export that holds. Raises Broken."""
    for number, line in enumerate(lines, 1):
        try:
            # An editor or a shell may have added empty lines, or a mark of UTF-8 before the first one.
            if line.strip():
                check.line(line)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise Broken(f"Line {number}: changed. This is no line of an export, or only a part.") from None
    if not (last := check.end_of_seal()):
        raise Broken("There is no seal in it.")
    if expected and expected not in check.hashes:
        raise Broken(f"No seal has the hash {expected}: the newest seals are missing, or this begins later.")
    return f"{check.seals} seals hold, {check.erased} entries are erased. The newest: {last['number']}, {last['hash']}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check an export of the audit log.")
    parser.add_argument("file", type=argparse.FileType("rb"))
    parser.add_argument("--trust", action="append", required=True, type=str.lower, metavar="KEY")
    parser.add_argument("--expect", default="", type=str.lower, metavar="HASH")
    given = parser.parse_args()
    try:
        sys.stdout.write(verify(given.file, Check(given.trust), given.expect) + "\n")
    except Broken as broken:
        sys.exit(str(broken))
