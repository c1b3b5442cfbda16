"""Manifests as pages show them: values of Secrets are masked unless the user asks for them, which is audited."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin import Question
from core.admin.code import code_block, part_of
from core.admin.diff import Side, diff_table
from stacks.admin.documents import documents_of
from stacks.masking import REVEAL_PERMISSION, comparable, mask_part, mask_secrets
from stacks.models import DeploymentObject
from stacks.secret_places import searched_characters

REVEAL = Question(
    title="Show the hidden values",
    consequence="The next page shows the values of Secrets in this version. The audit log notes that you saw them.",
    button="Show them",
)
PUBLISH_PERMISSION = "stacks.add_deploymentobject"


# The budget of a masked comparison: characters of documents with Secrets, of both sides. A million takes half a second.
MAX_SEARCHED = 4_000_000
_TOO_LONG = SafeString(
    '<p class="brokkr-hint" role="status">Not shown: the documents here are too long to find every value of Secrets in '
    "them in time. Who may see the values can show them.</p>"
)
_STOPPED = SafeString(
    '<p class="brokkr-hint" role="status">The comparison stopped: the two versions have too many values of Secrets '
    "to hide each of them in time. Who may see the values can show them.</p>"
)


def may_reveal(request: HttpRequest) -> bool:
    return request.user.has_perm(REVEAL_PERMISSION)


def manifest_block(
    text: str, *, number: int = 1, is_revealed: bool = False, pages_at: str = "", pages_form: str = ""
) -> SafeString:
    """A part of a manifest, with links to the others as for `diff_table`. A part is masked by itself, so it costs the
    same of any manifest."""
    part = part_of(text, number)
    shown = text[part.start : part.end] if is_revealed else mask_part(text, part.start, part.end)
    pager = render_to_string(
        "core/admin/parts.html",
        {
            "part": part.number,
            "parts": part.count,
            "whole": "manifest",
            "anchor": "manifest",
            "pages_at": pages_at,
            "pages_form": pages_form,
        },
    )
    block = _TOO_LONG if shown is None else code_block(shown, first_line=part.first_line)
    return format_html('<div id="manifest">{}{}</div>', block, SafeString(pager))


def manifest_side(text: str, *, is_revealed: bool = False) -> Side:
    """One side of a comparison. The comparison also finds changes of masked values."""
    shown = text if is_revealed else mask_secrets(text)
    side = Side.of(shown, None if is_revealed else comparable(mask_secrets, text))
    return replace(side, parts=documents_of(side.lines))


def object_diff(
    old: DeploymentObject, new: DeploymentObject, *, is_revealed: bool = False, **pages: Any
) -> SafeString:
    """The comparison of two versions, or a word that it stopped; `pages` are as for `diff_table`."""
    return manifest_diff(
        old.yaml_content,
        new.yaml_content,
        is_revealed=is_revealed,
        old_title=old,
        new_title=new,
        **pages,
    )


def manifest_diff(old: str, new: str, *, is_revealed: bool = False, **table: Any) -> SafeString:
    """The comparison of two manifests, or a word that it stopped; `table` is as for `diff_table`."""
    if not is_revealed and searched_characters(old) + searched_characters(new) > MAX_SEARCHED:
        return _STOPPED
    return diff_table(*(manifest_side(text, is_revealed=is_revealed) for text in (old, new)), **table)
