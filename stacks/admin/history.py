"""A stack's versions, newest first, and the differences between any two."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse

from core.admin import BaseAdmin, admin_actor, badge, link, moment, whole_number
from core.admin.authors import authors_of
from stacks.admin.manifests import may_reveal, object_diff
from stacks.event_kinds import StackEventKind
from stacks.masking import hides_values
from stacks.models import DeploymentObject, Stack
from stacks.services import reveal_secrets

PER_PAGE = 25
# The id of the form that asks for hidden values.
REVEAL_FORM = "reveal"


def history(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """One page of the versions, and a comparison of two: the chosen ones, or the newest and the one before it.

    With `reveal` in a POST, the comparison shows the values of Secrets, and the audit log notes it.
    """
    given = request.POST if request.method == "POST" else request.GET
    rows = _objects_of(stack)
    before = whole_number(given.get("before"))
    listed = rows if before is None else rows.filter(pk__lt=before)
    found = list(listed.defer("yaml_content").annotate(size=Length("yaml_content"))[: PER_PAGE + 1])
    shown, more = found[:PER_PAGE], len(found) > PER_PAGE
    newest = rows.values_list("pk", flat=True).first()
    old, new = _chosen(rows, whole_number(given.get("from")), whole_number(given.get("to")))
    context: dict[str, Any] = {
        "objects": _described(shown),
        "newest": newest,
        "newest_badge": badge("newest", "good"),
        "older": shown[-1].pk if more else None,
        "is_first": before is None,
        "before": before,
        "old": old,
        "new": new,
    }
    if old and new:
        context |= _comparison(request, old, new)
    return model_admin.render_page(request, stack, "stacks/admin/history.html", context)


def _objects_of(stack: Stack) -> QuerySet[DeploymentObject]:
    rows = DeploymentObject.objects.filter(stack=stack, recipient_id__isnull=True).newest_first()
    # A version is deleted only with its stack. The index covers live versions only.
    return rows.active() if stack.deleted_at is None else rows


def _chosen(
    rows: QuerySet[DeploymentObject], old: int | None, new: int | None
) -> tuple[DeploymentObject | None, DeploymentObject | None]:
    right = rows.filter(pk=new).first() if new is not None else rows.first()
    if right is None:
        return None, None
    left = rows.filter(pk=old).first() if old is not None else rows.filter(pk__lt=right.pk).first()
    return left, right


def _described(objects: list[Any]) -> list[Any]:
    authors = authors_of(StackEventKind.DEPLOYMENT_CREATED, [obj.id for obj in objects])
    for obj in objects:
        obj.link = link("stacks_deploymentobject_change", obj, obj.pk)
        obj.published = moment(obj.created_at)
        obj.author = authors.get(obj.id)
        obj.marker = badge("deletion marker", "bad") if obj.is_deletion_marker else None
    return objects


def _comparison(request: HttpRequest, old: DeploymentObject, new: DeploymentObject) -> dict[str, Any]:
    hiding = [obj for obj in (old, new) if hides_values(obj.yaml_content)]
    is_revealed = request.method == "POST" and "reveal" in request.POST and may_reveal(request)
    if is_revealed:
        for obj in hiding:
            reveal_secrets(obj=obj, actor=admin_actor(request))
    query = urlencode({"from": old.pk, "to": new.pk, "part": ""})
    diff = object_diff(
        old,
        new,
        is_revealed=is_revealed,
        page=whole_number(request.POST.get("part") or request.GET.get("part")) or 1,
        pages_at=f"?{query}",
        # Values are revealed, and noted, in answer to a form, so each page is asked for by one.
        pages_form=REVEAL_FORM if is_revealed else "",
    )
    return {
        "diff": diff,
        "may_reveal": bool(hiding) and may_reveal(request),
        "is_revealed": is_revealed,
        "reveal_form": REVEAL_FORM,
    }
