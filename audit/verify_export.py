#!/usr/bin/env python3
"""Checks what `manage.py export_audit` wrote. It needs no database and nothing of the broker, only Python and `cryptography`.

    python verify_export.py FILE --trust KEY [--trust KEY …] [--expect HASH]

Copy this one file. KEY is a public key that you got from the operator in another way than the file. Exit codes: 0 all
seals hold, 1 one does not, 2 wrong usage. The broker itself uses the functions that say what is hashed.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "brokkr-audit-export-1"
# Written beside what they sign, so not part of it.
_UNSIGNED = ("hash", "signature")


class Broken(Exception):
    """The number of the first seal that does not hold, and why: changed, missing or added."""


def canonical(value: object) -> bytes:
    """JSON that two databases spell alike: sorted names, no blanks, ASCII, numbers with a fraction as text."""
    text = json.dumps(_without_floats(value), sort_keys=True, separators=(",", ":"))
    return text.encode("ascii")


def _without_floats(value: object) -> object:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {name: _without_floats(item) for name, item in value.items()}
    return [_without_floats(item) for item in value] if isinstance(value, list) else value


def digest(value: object) -> str:
    """SHA-256 over the canonical form, as hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def part_digest(part: Mapping[str, Any]) -> str:
    """The digest of who did it, or of what was done. It is all that is left of a part that was erased."""
    erased: str | None = part.get("erased")
    return digest(part) if erased is None else erased


def entry_line(entry: Mapping[str, Any]) -> bytes:
    """What a seal's hash holds of one entry."""
    parts = {name: part_digest(entry[name]) for name in ("author", "content")}
    return canonical({**entry, **parts}) + b"\n"


def seal_hash(seal: Mapping[str, Any]) -> str:
    """The hash of a seal, over all it says but the hash and the signature."""
    return digest({name: value for name, value in seal.items() if name not in _UNSIGNED})


def endorsed(public_key: str, endorsed_by: str) -> str:
    """What an old key signs to hand on to a new one, as hex digits."""
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


def blocks(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kind and the value of each line: `format`, `key`, `seal` or `entry`."""
    for line in lines:
        ((kind, value),) = json.loads(line).items()
        yield kind, value


def verify(lines: Iterable[str], trusted: Iterable[str], expected: str) -> str:
    """A sentence about an export that holds. Raises Broken."""
    keys, seal, seals, entries, erased, hashes = [], {}, 0, [], 0, set()

    def close() -> None:
        number = seal["number"]
        if len(entries) != seal["entries"]:
            why = "missing" if len(entries) < seal["entries"] else "added"
            raise Broken(f"Seal {number}: {why}. It holds {seal['entries']} entries, here are {len(entries)}.")
        if hashlib.sha256(b"".join(entries)).hexdigest() != seal["entries_hash"]:
            raise Broken(f"Seal {number}: changed. Its entries are not those that were sealed.")

    for kind, value in blocks(lines):
        if kind == "format" and value["name"] != FORMAT:
            raise Broken(f"This is no {FORMAT}.")
        if kind == "key":
            keys.append(value)
        if kind == "entry":
            entries.append(entry_line(value))
            erased += any("erased" in value[part] for part in ("author", "content"))
        if kind == "seal":
            number = value["number"]
            if seal:
                close()
                if number != seal["number"] + 1:
                    raise Broken(f"Seal {seal['number'] + 1}: missing.")
            if seal_hash(value) != value["hash"] or not is_signed(
                value["hash"], value["signature"], value["public_key"]
            ):
                raise Broken(f"Seal {number}: changed. Its hash or its signature does not fit.")
            if seal and value["previous_hash"] != seal["hash"]:
                raise Broken(f"Seal {seal['number']}: changed. The next one follows another seal.")
            if value["public_key"] not in trusted_keys(trusted, keys):
                raise Broken(f"Seal {number}: changed. The key {value['public_key']} is not trusted.")
            seal, seals, entries = value, seals + 1, []
            hashes |= {value["hash"], value["lost_head"]}
    if not seal:
        raise Broken("There is no seal in it.")
    close()
    if expected and expected not in hashes:
        raise Broken(f"No seal has the hash {expected}: the newest seals are missing, or this begins later.")
    return f"{seals} seals hold, up to number {seal['number']}, hash {seal['hash']}; {erased} entries are erased."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check an export of the audit log.")
    parser.add_argument("file", type=argparse.FileType(encoding="utf-8"))
    parser.add_argument("--trust", action="append", required=True, metavar="KEY")
    parser.add_argument("--expect", default="", metavar="HASH")
    options = parser.parse_args()
    try:
        print(verify(options.file, options.trust, options.expect))
    except Broken as broken:
        sys.exit(str(broken))
