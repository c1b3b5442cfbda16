"""When a key is good: the same on every path that takes one, by the short way and by the long one."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent
from agents.services.agents import delete_agent
from core.events import SYSTEM
from paks.models import Pak, Role
from paks.services import issue_pak, new_token, revoke_pak, rotate_pak
from paks.tokens import Token, split_token
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.source import product_modules

PATHS = {
    "who calls": ("POST", "/auth/pak"),
    "ordinary view": ("GET", "/agents/{}"),
    "poll": ("GET", "/agents/{}/target-state"),
    "incremental poll": ("GET", "/agents/{}/target-state?mode=incremental"),
    "heartbeat": ("POST", "/agents/{}/heartbeat"),
    "sync": ("POST", "/agents/{}/sync"),
    "looking for work": ("GET", "/agents/{}/work-orders/pending"),
    "looking for deliveries": ("GET", "/agents/{}/webhooks/pending"),
    "looking for diagnostics": ("GET", "/agents/{}/diagnostics/pending"),
}
AGENT_PATHS = {name: path for name, path in PATHS.items() if name != "who calls"}

Spoil = Callable[[Agent, Token], Token]


def parts(key: str) -> Token:
    token = split_token(key)
    assert token
    return token


def revoked(agent: Agent, token: Token) -> Token:
    revoke_pak(pak_id=Pak.objects.get(subject_id=agent.id).id, actor=SYSTEM)
    return token


def rotated(agent: Agent, token: Token) -> Token:
    rotate_pak(role=Role.AGENT, subject_id=agent.id, name="new", actor=SYSTEM)
    return token


def of_the_deleted(agent: Agent, token: Token) -> Token:
    delete_agent(agent=agent, actor=SYSTEM)
    return token


def past_its_end(agent: Agent, token: Token) -> Token:
    Pak.objects.filter(subject_id=agent.id).update(ends_at=timezone.now() - timedelta(seconds=1))
    return token


NO_KEYS: dict[str, Spoil] = {
    "unknown secret": lambda _agent, token: replace(token, long=new_token().long),
    "hash for the secret": lambda _agent, token: replace(token, long=token.hash),
    "secret in another case": lambda _agent, token: replace(token, long=token.long.swapcase()),
    "other short token": lambda _agent, token: replace(token, short="BRother0"),
    "no short token": lambda _agent, token: replace(token, short=""),
    "revoked": revoked,
    "rotated": rotated,
    "past its end": past_its_end,
    "deleted owner": of_the_deleted,
}


def of_another_agent(_agent: Agent, _token: Token) -> Token:
    return parts(make_agent()[1].key)


def of_a_generator(_agent: Agent, _token: Token) -> Token:
    return parts(make_generator()[1].key)


def of_another_role_with_the_agents_id(agent: Agent, _token: Token) -> Token:
    _, key = issue_pak(role=Role.GENERATOR, subject_id=agent.id, name="odd", actor=SYSTEM)
    return parts(key)


OTHERS_KEYS: dict[str, Spoil] = {
    "other agent": of_another_agent,
    "other role": of_a_generator,
    "other role, same id": of_another_role_with_the_agents_id,
}


@pytest.fixture(params=["short way", "long way"])
def way(request, settings):
    """With a rate limit every request goes the long way."""
    settings.RATE_LIMIT_PER_SECOND = 0 if request.param == "short way" else 1000


def before_its_end(agent: Agent) -> None:
    Pak.objects.filter(subject_id=agent.id).update(ends_at=timezone.now() + timedelta(minutes=10))


def call(path: tuple[str, str], agent: Agent, key: str):
    return Api(key).request(path[0], path[1].format(agent.id))


@pytest.mark.django_db
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_good_key_is_taken_on_every_path(path):
    agent, api = make_agent()
    assert call(path, agent, api.key).status_code in {200, 204}


@pytest.mark.django_db
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_key_is_taken_on_every_path_until_its_end(path):
    agent, api = make_agent()
    before_its_end(agent)
    assert call(path, agent, api.key).status_code in {200, 204}


@pytest.mark.django_db
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("spoil", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_good_key_is_401_on_every_path(spoil, path):
    agent, api = make_agent()
    refused(call(path, agent, spoil(agent, parts(api.key)).text), 401, "unauthorized")


@pytest.mark.django_db
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", AGENT_PATHS.values(), ids=AGENT_PATHS)
@pytest.mark.parametrize("other", OTHERS_KEYS.values(), ids=OTHERS_KEYS)
def test_somebody_elses_good_key_is_403_on_every_path_of_an_agent(other, path):
    agent, api = make_agent()
    refused(call(path, agent, other(agent, parts(api.key)).text), 403, "agent_pak_mismatch")


@pytest.mark.django_db
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_key_known_only_by_its_hash_is_taken_with_any_short_token(path):
    agent, api = make_agent()
    Pak.objects.filter(subject_id=agent.id).update(short_token="")
    assert call(path, agent, replace(parts(api.key), short="BRother0").text).status_code in {200, 204}


@pytest.mark.django_db
def test_the_queryset_knows_the_same_usable_keys():
    agent, _ = make_agent()
    other, _ = make_agent()
    revoke_pak(pak_id=Pak.objects.get(subject_id=agent.id).id, actor=SYSTEM)
    assert list(Pak.objects.usable().values_list("subject_id", flat=True)) == [other.id]
    marked: Any = Pak.objects.with_usable()
    assert {pak.subject_id: pak.is_usable for pak in marked} == {agent.id: False, other.id: True}


_KEY_COLUMN = re.compile(r"\b(revoked_at|key_hash|short_token|paks\.ends_at)\b")


def test_no_text_outside_paks_names_a_column_by_which_keys_are_checked():
    """Neither SQL nor a look-up: who needs a good key embeds `paks.key_check` or calls a service of `paks`."""
    found = []
    for module in product_modules():
        if module.__name__.partition(".")[0] == "paks":
            continue
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [(module.__name__, name) for name in _KEY_COLUMN.findall(node.value)]
    assert found == []
