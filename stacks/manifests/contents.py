"""What is in a manifest: its objects and the images that they name. Pure.

`reading` tells of each field that may be the name of an image, and of each document that ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from stacks.manifests.images import Image, normalised_image
from stacks.manifests.kinds import FieldPath, is_built_in, pod_spec_of
from stacks.manifests.nodes import Collection, Open
from stacks.manifests.objects import Identity

# A field of this name in a container names its image; `reference` does so in a volume of the kind `image`.
_IMAGE: Final = "image"
_REFERENCE: Final = "reference"
_KIND: Final = "kind"
NOTED_FIELDS: Final = frozenset({_IMAGE, _REFERENCE, _KIND})
_SECRETS: Final = frozenset({"Secret", "SecretList"})
_CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_VOLUMES: Final = "volumes"
# The API server accepts no longer names.
MAX_PART: Final = 253


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """One object of a manifest.

    `images` says of each whether it is guessed, because the broker does not know the kind. `digest` is equal for
    objects that are written alike, comments included; it has 64 bits and a sign. Document and line count from 1.
    """

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    images: Mapping[Image, bool]
    digest: int
    document: int
    line: int


class Contents:
    """Collects the objects of a text while it is read."""

    def __init__(self, text: str) -> None:
        self.objects: list[ManifestObject] = []
        self._text = text
        self._start = 0
        # Each place of the current document that may name an image, with the name.
        self._named: dict[tuple[FieldPath, str], None] = {}
        # Whether a Secret is anywhere in the current document.
        self.holds_secret = False

    def begin_document(self, start: int) -> None:
        """`start` is the number of characters before the document."""
        self._start = start
        self._named = {}
        self.holds_secret = False

    def note(self, field: str, value: str, around: Sequence[Open]) -> None:
        """Note a field of a mapping; `around` are the collections around it, beginning with the document."""
        if field == _KIND:
            self.holds_secret = self.holds_secret or value in _SECRETS
        elif len(around) > 2 and _may_name_image(field, around[-1].key, around[-2].key):
            self._named[(*(each.key for each in around[1:]), field), value] = None

    def note_repeated(self, node: Collection, field: str | None, around: Sequence[Open]) -> None:
        """Note what an alias repeats in this field of a mapping or, without a field, in a list."""
        path = (*(each.key for each in around[1:]), field)
        for place, value in _noted_in(path, node):
            if place[-1] == _KIND:
                self.holds_secret = self.holds_secret or value in _SECRETS
            else:
                self._named[place, value] = None

    def end_document(
        self, api_version: str, identity: Identity, *, end: int, document: int, line: int
    ) -> None:
        """Add the object of the document that ends, unless the cluster could not have it under this name."""
        group, kind, namespace, name = identity
        group, _, version = api_version.rpartition("/")
        if all(len(part) <= MAX_PART and part.isprintable() for part in (version, *identity)):
            written = self._text[self._start : end].strip()
            digest = int.from_bytes(blake2b(written.encode(), digest_size=8).digest(), "big", signed=True)
            images = dict(self._images(group, kind))
            self.objects.append(
                ManifestObject(group, version, kind, namespace, name, images, digest, document, line)
            )

    def _images(self, group: str, kind: str) -> Iterator[tuple[Image, bool]]:
        pods = pod_spec_of(group, kind)
        # What looks like an image may be a value of a Secret that the object holds.
        if self.holds_secret or (pods is None and is_built_in(group)):
            return
        for path, value in self._named:
            if pods is not None and path[: len(pods)] != pods:
                continue
            inside = path[-3:] if pods is None else path[len(pods) :]
            if _is_of_container(inside) or (pods is not None and _is_of_volume(inside)):
                image = normalised_image(value)
                if image is not None:
                    yield image, pods is None


def _may_name_image(field: str, above: str | None, further_above: str | None) -> bool:
    """A quick look before the whole path is compared. The key of a list is None."""
    if field == _IMAGE:
        return above is None and further_above in _CONTAINERS
    return above == _IMAGE


def _is_of_container(path: FieldPath) -> bool:
    return len(path) == 3 and path[0] in _CONTAINERS and path[1:] == (None, _IMAGE)


def _is_of_volume(path: FieldPath) -> bool:
    return path == (_VOLUMES, None, _IMAGE, _REFERENCE)


def _noted_in(path: FieldPath, node: Collection) -> Iterator[tuple[FieldPath, str]]:
    """Each field in the collection that is to be noted, with its path. Each repetition of an alias is visited."""
    waiting = [(path, node)]
    while waiting:
        at, each = waiting.pop()
        if not each.is_mapping:
            waiting += [((*at, None), item) for item, _ in each.items() if isinstance(item, Collection)]
        for key, value, _ in each.entries():
            field = key if isinstance(key, str) else None
            if isinstance(value, Collection):
                waiting.append(((*at, field), value))
            elif field in NOTED_FIELDS and isinstance(value, str):
                yield (*at, field), value
