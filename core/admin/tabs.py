"""Further pages of a row, as tabs beside its form.

An app registers here the pages of its own models. It also registers its pages about rows of a lower app, because a
lower app may not import a higher one. Called in `<app>/admin`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from core.admin.base import BaseAdmin

# Takes the row, which the user may see, and returns a response, usually `admin.render_page(…)`. A refusal that it
# raises becomes a message on the same page.
View = Callable[[HttpRequest, "BaseAdmin", Any], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """`permission`, spelled `app.verb_model`, is needed besides the permission to see the row. Rows that it is not for
    have no tab; its address still answers, because a row may change while its page is open.
    """

    slug: str
    title: str
    view: View
    permission: str
    is_for: Callable[[Any], bool]

    @property
    def url_part(self) -> str:
        return self.slug.replace("-", "_")


_pages: dict[type[Model], list[Page]] = {}


def _every(_: Any) -> bool:
    return True


def register_page(
    model: type[Model],
    slug: str,
    title: str,
    view: View,
    permission: str,
    *,
    is_for: Callable[[Any], bool] = _every,
) -> None:
    """Add a page at `<row>/<slug>/`, named `admin:<app>_<model>_<slug>` with underscores for hyphens.

    Tabs are shown in the order of registration, which is that of INSTALLED_APPS.
    """
    _pages.setdefault(model, []).append(Page(slug, title, view, permission, is_for))


def pages_of(model: type[Model]) -> Sequence[Page]:
    return _pages.get(model, ())
