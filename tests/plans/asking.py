"""Asking for plans, and reading them."""

from typing import Any

from tests.support.api import Api


def ask(api: Api, method: str, path: str, body: object = None, *, query: str = "", **headers: str) -> Any:
    """The answer of POST /plans."""
    return api.post(f"/plans{query}", {"method": method, "path": path, "body": body}, headers=headers)


def told(api: Api, method: str, path: str, body: object = None, **options: Any) -> dict[str, Any]:
    """The plan, which is asked for with success."""
    answer = ask(api, method, path, body, **options)
    assert answer.status_code == 200, answer.content
    plan: dict[str, Any] = answer.json()
    return plan


def kinds(plan: dict[str, Any], when: str = "now") -> dict[str, str]:
    """By the agent's name, what changes for it. For plans of one stack."""
    return {each["agent"]["name"]: each[when] for each in plan["agents"] if each[when]}
