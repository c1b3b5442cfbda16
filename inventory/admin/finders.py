"""How the search of the admin finds resources and images. Each leads to the page that tells who has it."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.urls import reverse

from core.admin.finders import Hit, register_finder
from inventory.admin.contents import PERMISSION
from inventory.search import images_beginning, resources_beginning


def _resources(text: str, limit: int) -> Sequence[Hit]:
    rows = resources_beginning(text).order_by("name", "kind", "namespace")
    found = rows.values_list("name", "kind", "namespace").distinct()[:limit]
    return [
        Hit(
            f"{kind} {name}",
            f"in {namespace}" if namespace else "",
            _page(kind=kind, namespace=namespace, name=name),
        )
        for name, kind, namespace in found
    ]


def _images(text: str, limit: int) -> Sequence[Hit]:
    return [
        Hit(str(image), "", _page(image=str(image)))
        for image in images_beginning(text).order_by("repository", "tag", "digest")[:limit]
    ]


def _page(**search: str) -> str:
    return f"{reverse('admin:resources')}?{urlencode(search)}"


register_finder("Resources", _resources, PERMISSION)
register_finder("Images", _images, PERMISSION)
