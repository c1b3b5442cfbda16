"""The admin site as one of its users sees it."""

import html
import re
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from core.admin.planning import ShownPlan
from tests.support.events import audited_changes


class AdminPages:
    """Pages under /admin/. A form is sent as the page shows it, with the given fields changed."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._client = Client(headers={"User-Agent": "operator's browser"})
        self._client.force_login(user)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/admin/{path}", query)

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        """Send the fields, with a reason for a deletion, and confirm the plan if the page that comes shows one.

        The name that a large loss asks for is typed, but not for a deletion.
        """
        is_deletion = "post" in (data or {})
        fields = {"reason": "no longer used", **(data or {})} if is_deletion else data or {}
        response = self.post_once(path, fields)
        plan = plan_on(response)
        if plan is None:
            return response
        confirmed = {"plan": plan.digest}
        if not is_deletion:
            confirmed |= {"typed": plan.phrase} | (
                {} if "reason" in fields else {"plan_reason": "it is meant"}
            )
        return self.post_once(path, fields | confirmed)

    def post_once(self, path: str, data: dict[str, Any] | None = None) -> Any:
        return self._client.post(f"/admin/{path}", data or {}, follow=True)

    def post_form(self, path: str, **changes: Any) -> Any:
        """Send the form at `path` with its present values, except for `changes`."""
        fields = form_fields(self.get(f"{path}{'&' if '?' in path else '?'}edit=1"))
        return self.post(path, fields | changes)


def form_fields(response: Any) -> dict[str, Any]:
    """The fields that a browser would send for the form of an add or change page."""
    context = response.context
    forms = [context["adminform"].form]
    fields: dict[str, Any] = {}
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                fields[bound.html_name] = value
    return fields


def plan_on(response: Any) -> ShownPlan | None:
    """The plan on a page that shows what the sent form, button or action would do."""
    own = {"stacks/admin/publish.html", "stacks/admin/roll_back.html"}
    forms = {"core/admin/plan.html", "core/admin/delete.html", "core/admin/confirm.html", *own}
    if not forms & {template.name for template in response.templates}:
        return None
    plan: ShownPlan | None = response.context.get("plan")
    return plan


def staff(*permissions: str, name: str = "astrid") -> AdminPages:
    """A member of staff with only these permissions, written `app.verb_model`."""
    user = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return AdminPages(user)


def chosen_in(response: Any) -> dict[str, str]:
    """The chosen options of all selects of a page, as a browser would send them, with their labels."""
    options = r'<option value="([^"]+)"[^>]*selected[^>]*>\s*([^<]+?)\s*</option>'
    return {value: html.unescape(words) for value, words in re.findall(options, response.content.decode())}


def titles_of(response: Any) -> list[str]:
    """The titles in the path on top of a page; the page's own title is the last."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.DOTALL)
    assert found is not None
    parts = (html.unescape(re.sub(r"<[^>]*>", " ", part)) for part in found[1].split("chevron_right"))
    return [" ".join(part.split()) for part in parts]


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors_of(response: Any) -> list[str]:
    """The error messages of a refused form."""
    assert response.status_code == 200
    return [
        str(error)
        for group in response.context["errors"]
        for error in (group if isinstance(group, list) else [group])
    ]


def shown_key(response: Any) -> str:
    """The key on the page that shows a new one."""
    found = re.search(r'value="(brokkr_[^"]+)"', response.content.decode())
    assert found is not None
    return html.unescape(found[1])


def actions_by(user: User) -> list[str]:
    """The audit log's actions with this user as their author, oldest first."""
    rows = audited_changes().filter(actor_type="admin", actor_label=user.get_username()).order_by("sequence")
    return list(rows.values_list("action", flat=True))
