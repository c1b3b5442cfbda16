"""Lists of the admin speak in words: no name of a column, no code of the database."""

import html
import re

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers, results

from tests.support.admin_rows import LISTS, fill

pytestmark = pytest.mark.django_db

_CODE = re.compile(r"(?<!\w)[a-z]+(_[a-z]+)+\b|[A-Z]{2,}(_[A-Z]+)*")
# What people write in capitals.
_WORDS = {"ID", "URL", "UTC", "IP", "YAML", "CSV", "API"}


def codes_in(texts):
    return [text for text in texts if set(_found(text)) - _WORDS]


def _found(text):
    return (match.group() for match in _CODE.finditer(str(text)))


@pytest.mark.parametrize("path", LISTS)
def test_filters_are_called_what_people_call_them(operator, path):
    fill(1)
    changelist = operator.get(path).context["cl"]
    titles = [str(spec.title) for spec in changelist.filter_specs]
    assert [title for title in titles if title.endswith(" at")] == []
    assert codes_in(titles) == []
    choices = [
        str(choice["display"])
        for spec in changelist.filter_specs
        for choice in spec.choices(changelist)
        if "display" in choice
    ]
    assert codes_in(choices) == []


@pytest.mark.parametrize("path", LISTS)
def test_columns_are_called_what_people_call_them(operator, path):
    fill(1)
    heads = [head["text"] for head in result_headers(operator.get(path).context["cl"])]
    assert codes_in(heads) == []
    assert [head for head in heads if str(head).endswith(" at")] == []


# The audit log quotes the names of changes, by which the API asks for them.
@pytest.mark.parametrize("path", [path for path in LISTS if path != "audit/auditlog/"])
def test_rows_have_no_codes_but_those_that_people_wrote(operator, path):
    fill(1)
    cells = [
        html.unescape(re.sub(r"<[^>]*>", " ", cell))
        for row in results(operator.get(path).context["cl"])
        for cell in row
    ]
    assert codes_in(cells) == []


@pytest.mark.parametrize("path", LISTS)
def test_the_history_of_a_row_is_what_the_log_has_of_it(operator, path):
    fill(1)
    row = operator.get(path).context["cl"].result_list[0]
    answer = operator.get(f"{path}{row.pk}/history/")
    assert answer.status_code in {302, 404}
