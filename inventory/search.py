"""Which resources and images are in which versions."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from inventory.models import Entry, ImageName, Progress, Resource
from inventory.querysets import EntryQuerySet
from stacks.manifests.images import whole_repository
from stacks.models import DeploymentObject

# What is asked for begins so if it ends with this.
_WILDCARD: Final = "*"
# No text that begins with a prefix is greater than the prefix with this after it.
_GREATEST: Final = "\U0010ffff"
_ALGORITHMS: Final = ("sha256:", "sha512:")


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. An empty text matches everything, a text that ends with `*` all that begins so.

    `image` is the name of an image, with or without a tag, or the beginning of a digest, with or without a name before
    it.
    """

    kind: str = ""
    namespace: str = ""
    name: str = ""
    image: str = ""
    is_history: bool = False


def found(search: Search) -> EntryQuerySet:
    """The rows that are found: of images if an image is looked for, else of resources."""
    rows = Entry.objects.of_images() if search.image else Entry.objects.of_resources()
    rows = rows.filter(
        matching("resource__kind", search.kind),
        matching("resource__namespace", search.namespace),
        matching("resource__name", search.name),
        _image(search.image, of="image__"),
    )
    return rows if search.is_history else rows.current()


def matching(column: str, text: str) -> Q:
    """The condition that the column has this text or, if it ends with `*`, begins so. Reads an index in both cases."""
    if not text:
        return Q()
    if not text.endswith(_WILDCARD):
        return Q(**{column: text})
    prefix = text.removesuffix(_WILDCARD)
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + _GREATEST}) if prefix else Q()


def resources_beginning(name: str) -> QuerySet[Resource]:
    """The resources whose name begins so, of whatever version."""
    return Resource.objects.filter(matching("name", name + _WILDCARD))


def images_beginning(text: str) -> QuerySet[ImageName]:
    """The images whose name, tag or digest begins so: `ngi`, `nginx:1.`, `sha256:9f86`."""
    return ImageName.objects.filter(_image(text + _WILDCARD))


def _image(text: str, *, of: str = "") -> Q:
    """The condition on an image, whose columns have `of` before their names."""
    if text.startswith(_ALGORITHMS):
        return matching(f"{of}digest", _beginning(text))
    named, at, digest = text.partition("@")
    repository, colon, tag = named.rpartition(":")
    # A colon before the last slash belongs to the port of the registry.
    if not colon or "/" in tag:
        repository, tag = named, ""
    whole = repository if repository in {"", _WILDCARD} else whole_repository(repository)
    condition = matching(f"{of}repository", whole) & matching(f"{of}tag", tag)
    return condition & matching(f"{of}digest", _beginning(digest)) if at else condition


def _beginning(text: str) -> str:
    return text if text.endswith(_WILDCARD) else text + _WILDCARD


def is_complete() -> bool:
    """Whether all versions are read that were published before there was an inventory."""
    progress = Progress.objects.first()
    return progress.is_complete if progress is not None else not DeploymentObject.objects.exists()
