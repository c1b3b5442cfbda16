"""Names of images in one form, as container runtimes read them: `nginx` is `docker.io/library/nginx:latest`. Pure."""

import re
from typing import Final, NamedTuple

_DOCKER_HUB: Final = "docker.io"
_HUB_ALIASES: Final = frozenset({"docker.io", "index.docker.io"})
_DEFAULT_TAG: Final = "latest"
# What the reference implementation (github.com/distribution/reference) accepts.
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_COMPONENT: Final = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
MAX_REPOSITORY: Final = 255
MAX_TAG: Final = 128


class Image(NamedTuple):
    """`repository` begins with the registry. An image that is named by its digest alone has no tag."""

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def normalised_image(text: str) -> Image | None:
    """The image that a manifest names; None for what is no name of an image."""
    named, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return None
    # A colon before the last slash belongs to the port of the registry.
    repository, colon, tag = named.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = named, ""
    elif not _TAG.fullmatch(tag):
        return None
    repository = whole_repository(repository)
    domain, _, path = repository.partition("/")
    if (
        len(repository) > MAX_REPOSITORY
        or not _DOMAIN.fullmatch(domain)
        or not all(_COMPONENT.fullmatch(part) for part in path.split("/"))
    ):
        return None
    return Image(repository, tag or ("" if digest else _DEFAULT_TAG), digest)


def whole_repository(text: str) -> str:
    """The repository with the registry and the folder that are meant where they are left out."""
    first, slash, rest = text.partition("/")
    if not slash:
        return f"{_DOCKER_HUB}/library/{text}"
    if not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return f"{_DOCKER_HUB}/{text}"
    if first in _HUB_ALIASES:
        return f"{_DOCKER_HUB}/{rest}" if "/" in rest else f"{_DOCKER_HUB}/library/{rest}"
    return text
