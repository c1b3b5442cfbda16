"""Numbers for people have commas between the thousands."""

from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string

from agents.admin.state_bar import state_bar
from agents.models import Agent
from agents.states import States
from core.admin import counted


@pytest.mark.parametrize("is_capped", [False, True])
def test_the_foot_of_a_list(is_capped):
    changes = SimpleNamespace(
        result_count=12_345,
        paginator=SimpleNamespace(is_capped=is_capped),
        opts=Agent._meta,
        model_admin=SimpleNamespace(rows_word=""),
    )
    assert "12,345" in render_to_string("core/admin/capped_pagination.html", {"cl": changes})


def test_a_bar_of_states():
    assert "12,345 applied" in state_bar(States(applied=12_345), "/", none="")


def test_a_number_with_its_noun():
    assert (counted(1, "agent"), counted(12_345, "agent")) == ("1 agent", "12,345 agents")
