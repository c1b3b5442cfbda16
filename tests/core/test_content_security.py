"""What browsers are told about our pages."""

import re

import pytest
from django.test import Client

from core.content_security import ADMIN_POLICY, PAGE_POLICY
from tests.factories import make_agent

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("headers of pages")]


@pytest.mark.parametrize("policy", [ADMIN_POLICY, PAGE_POLICY])
def test_nothing_is_allowed_but_what_is_named(policy):
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "'unsafe-inline'" not in rules["script-src"] + rules["style-src"]
    assert not re.search(r"https?:|\*", policy)


def test_only_the_admin_may_evaluate():
    assert "'unsafe-eval'" in ADMIN_POLICY
    assert "'unsafe-eval'" not in PAGE_POLICY


@pytest.mark.parametrize("path", ["/swagger-ui", "/nowhere"])
def test_pages_outside_the_admin_have_the_strict_policy(path):
    assert Client().get(path).headers["Content-Security-Policy"] == PAGE_POLICY


def test_the_api_has_none(admin):
    assert "Content-Security-Policy" not in admin.get("agents").headers


def test_pages_of_the_admin_have_no_script_or_style_of_their_own(operator):
    agent, _ = make_agent(labels=["prod"])
    for path in [
        "",
        "agents/agent/",
        f"agents/agent/{agent.pk}/change/",
        "agents/agent/add/",
        "auth/user/add/",
    ]:
        response = operator.get(path)
        page = response.content.decode()
        assert response.headers["Content-Security-Policy"] == ADMIN_POLICY
        assert "<style" not in page
        assert [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag] == []
        assert not re.search(r"\son[a-z]+=", page)
    assert "<style" not in Client().get("/admin/login/").content.decode()
    assert "<style" not in Client().get("/swagger-ui").content.decode()


def test_no_page_may_be_framed(operator):
    assert operator.get("").headers["X-Frame-Options"] == "DENY"
