import hashlib


class ManifestError(Exception):
    document: int | None = None
    line: int | None = None


def check_manifest(text: str, *, allow_blank: bool = False) -> None: ...


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
