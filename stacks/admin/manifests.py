"""Manifests as pages show them: values of Secrets are masked unless the user asks for them, which is audited."""

from dataclasses import replace

from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.admin import Question
from core.admin.code import code_block
from core.admin.diff import Side, diff_table
from stacks.admin.documents import documents_of
from stacks.masking import REVEAL_PERMISSION, comparable, mask_secrets
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
_STOPPED = SafeString(
    '<p class="brokkr-hint" role="status">The comparison stopped: the two versions have too many values of Secrets '
    "to hide each of them in time. Who may see the values can show them.</p>"
)


def hides_values(text: str) -> bool:
    return searched_characters(text) > MAX_SEARCHED or mask_secrets(text) != text


def may_reveal(request: HttpRequest) -> bool:
    return request.user.has_perm(REVEAL_PERMISSION)


def manifest_block(text: str, *, marked: int | None = None) -> SafeString:
    return code_block(mask_secrets(text), marked=marked)


def manifest_side(text: str, *, is_revealed: bool = False) -> Side:
    """One side of a comparison. The comparison also finds changes of masked values."""
    shown = text if is_revealed else mask_secrets(text)
    side = Side.of(shown, None if is_revealed else comparable(mask_secrets, text))
    return replace(side, parts=documents_of(side.lines))


def object_diff(
    old: DeploymentObject,
    new: DeploymentObject,
    *,
    is_revealed: bool = False,
    page: int = 1,
    pages_at: str = "",
    pages_form: str = "",
) -> SafeString:
    """The comparison of two versions, or a word that it stopped; the rest is as for `diff_table`."""
    texts = [each.yaml_content for each in (old, new)]
    if not is_revealed and sum(map(searched_characters, texts)) > MAX_SEARCHED:
        return _STOPPED
    old_side, new_side = (manifest_side(text, is_revealed=is_revealed) for text in texts)
    return diff_table(
        old_side,
        new_side,
        old_title=old,
        new_title=new,
        page=page,
        pages_at=pages_at,
        pages_form=pages_form,
    )
