"""Error codes: unique, in one form, and all in docs/reference/error-codes.md, with their statuses."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from django.conf import settings

from core.api.errors import error_body, status_of
from core.errors import DomainError
from tests.support.source import product_modules

_ROW = re.compile(
    r"^\| `(?P<code>[^`]+)` \| (?P<status>\d{3}) \| (?P<meaning>.+) \| (?P<action>.+) \|$", re.MULTILINE
)

# One refusal to whom the role forbids it, said in two places with words of their own.
SHARED = {"forbidden"}
# The contract answers 400 or 422 under the same code, as the rule is about text or a range.
TWO_STATUSES = {"invalid_webhook"}


def _subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _refusals() -> list[type[DomainError]]:
    product_modules()
    kinds = {kind for kind in _subclasses(DomainError) if "code" in vars(kind)}
    return sorted(kinds, key=lambda kind: (kind.code, kind.__module__, kind.__name__))


REFUSALS = _refusals()
DOCUMENT = (settings.BASE_DIR / "docs/reference/error-codes.md").read_text(encoding="utf-8")


def test_no_two_refusals_share_a_code():
    by_code = defaultdict(list)
    for kind in REFUSALS:
        by_code[kind.code].append(kind)
    shared = {code: kinds for code, kinds in by_code.items() if len(kinds) > 1}
    assert set(shared) == SHARED | TWO_STATUSES
    for code, kinds in shared.items():
        assert len({status_of(kind()) for kind in kinds}) == (2 if code in TWO_STATUSES else 1)


def test_a_refusal_has_a_snake_case_code_a_sentence_and_a_status(subtests):
    for kind in REFUSALS:
        with subtests.test(f"{kind.__module__}.{kind.__name__}"):
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
            assert re.fullmatch(r"[A-Z].+\.", kind.message, re.DOTALL)
            error = kind()
            assert 400 <= status_of(error) <= 503
            assert error_body(error) == {"error": kind.message, "code": kind.code, "message": kind.message}


def test_every_code_is_documented_with_its_status_and_no_other():
    documented = {(row["code"], int(row["status"])) for row in _ROW.finditer(DOCUMENT)}
    assert documented == {(kind.code, status_of(kind())) for kind in REFUSALS}


def test_every_code_is_documented_once_with_a_meaning_and_an_action():
    codes = [row["code"] for row in _ROW.finditer(DOCUMENT)]
    assert Counter(codes) == Counter([*set(codes), *TWO_STATUSES])
    assert len(codes) == DOCUMENT.count("\n| `")
    for row in _ROW.finditer(DOCUMENT):
        assert row["meaning"].strip().endswith(".")
        assert row["action"].strip().endswith(".")


def test_a_refusal_without_a_kind_is_never_defined():
    """Each subclass either is a kind, which gives the status, or has a code."""
    product_modules()
    for kind in _subclasses(DomainError):
        if "code" not in vars(kind):
            assert kind.__module__ == "core.errors", kind
