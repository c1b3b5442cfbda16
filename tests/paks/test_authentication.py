"""The Authorization header: which forms are read, and that everything else is one and the same 401."""

import pytest

from audit.models import AuditLog
from core.events import SYSTEM
from paks.models import Pak, Role
from paks.services import ensure_configured_admin, issue_pak, revoke_pak
from paks.tokens import split_token
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused
from tests.support.wsgi import call

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("the form of a header")]
PATH = "/api/v1/auth/pak"


def answer(header: str):
    """The answer to exactly this header."""
    return call("POST", PATH, HTTP_AUTHORIZATION=header)


@pytest.mark.parametrize(
    "form",
    ["{}", "Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "  Bearer {}  ", " {} "],
)
def test_the_key_may_come_bare_or_after_bearer_with_spaces(admin, form):
    response = answer(form.format(admin.key))
    assert response.status_code == 200
    assert response.json()["admin"] is True


@pytest.mark.parametrize(
    "form", ["Basic {}", "Token {}", "Bearer Bearer {}", "Bearer: {}", "{},{}", "Bearer {} x"]
)
def test_other_schemes_are_401(admin, form):
    refused(answer(form.format(admin.key, admin.key)), 401, "unauthorized")


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "nonsense",
        "brokkr_BRabcdef",
        "brokkr_BRabcdef_one_two",
        "_",
        "__",
        "___",
        "brokkr__",
        "_BRabcdef_",
        "brokkr_BRabcdef_",
        "brokkr_BRabcdef_unknown",
        "brokkr_BRabcdef_sch\xc3\xbcssel",
        "brokkr_BRabcdef_\xff\xfe",
        "brokkr_BRabcdef_a\x00b",
        "brokkr_BRabcdef_" + "x" * 7000,
        "_" * 7000,
        "Bearer null",
        "Bearer undefined",
    ],
)
def test_what_is_no_key_is_401(admin, header):
    response = answer(header)
    refused(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="brokkr"'


@pytest.mark.parametrize("key", ["a\0b_c_d", "a_b\0_c", "a_b_c\0"])
@pytest.mark.parametrize(("method", "action"), [("GET", "target-state"), ("POST", "heartbeat")])
def test_a_key_with_a_nul_is_401_also_on_the_short_way(key, method, action):
    agent, _ = make_agent()
    path = f"/api/v1/agents/{agent.id}/{action}"
    refused(call(method, path, HTTP_AUTHORIZATION=f"Bearer {key}"), 401, "unauthorized")


@pytest.mark.parametrize("key", ["a b_BR_{}", "Basic {}", "x{}"])
@pytest.mark.parametrize(("method", "action"), [("GET", "target-state"), ("POST", "heartbeat")])
def test_the_lane_knows_the_same_keys(key, method, action):
    agent, api = make_agent()
    path = f"/api/v1/agents/{agent.id}/{action}"
    expected = call("POST", PATH, HTTP_AUTHORIZATION=key.format(api.key)).status_code
    response = call(method, path, HTTP_AUTHORIZATION=key.format(api.key))
    assert (response.status_code == 401) == (expected == 401)


def test_the_hash_of_a_key_is_no_key(admin):
    pak = Pak.objects.get()
    for text in (pak.key_hash, f"brokkr_{pak.short_token}_{pak.key_hash}"):
        refused(answer(text), 401, "unauthorized")


def test_the_short_token_must_be_the_stored_one(admin):
    token = split_token(admin.key)
    assert token
    refused(answer(f"brokkr_BRwrong0_{token.long}"), 401, "unauthorized")
    refused(answer(f"brokkr__{token.long}"), 401, "unauthorized")


@pytest.mark.parametrize("prefix", ["", "other", "BROKKR"])
def test_the_prefix_is_not_looked_at(admin, prefix):
    token = split_token(admin.key)
    assert token
    assert answer(f"{prefix}_{token.short}_{token.long}").status_code == 200


def test_the_secret_is_compared_with_regard_to_case(admin):
    token = split_token(admin.key)
    assert token
    swapped = token.long.swapcase()
    refused(answer(f"brokkr_{token.short}_{swapped}"), 401, "unauthorized")


def test_a_key_configured_by_its_hash_works_under_any_short_token():
    token = split_token("brokkr_BR3rVsDa_GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8")
    assert token
    ensure_configured_admin(key_hash=token.hash)
    assert answer(token.text).json()["admin"] is True
    assert answer(f"x_y_{token.long}").json()["admin"] is True


def test_a_revoked_key_is_401_at_once_and_for_ever(admin):
    pak = Pak.objects.get()
    assert answer(admin.key).status_code == 200
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    refused(answer(admin.key), 401, "unauthorized")
    refused(answer(f"Bearer {admin.key}"), 401, "unauthorized")


def test_the_keys_of_what_is_deleted_are_401(admin):
    agent, agent_api = make_agent()
    generator, generator_api = make_generator()
    assert admin.delete(f"/agents/{agent.id}").status_code == 204
    assert admin.delete(f"/generators/{generator.id}").status_code == 204
    refused(agent_api.post("/auth/pak"), 401, "unauthorized")
    refused(generator_api.post("/auth/pak"), 401, "unauthorized")


def test_a_rotated_key_is_401_and_the_new_one_works():
    agent, api = make_agent()
    new = api.post(f"/agents/{agent.id}/rotate-pak").json()["pak"]
    refused(api.post("/auth/pak"), 401, "unauthorized")
    assert Api(new).post("/auth/pak").json()["agent"] == str(agent.id)


def test_a_key_of_another_broker_is_401(admin):
    _, foreign = issue_pak(role=Role.ADMIN, subject_id=None, name="foreign", actor=SYSTEM)
    Pak.objects.filter(name="foreign").delete()
    refused(answer(foreign), 401, "unauthorized")


def test_a_refused_key_is_audited_once_a_minute_without_the_key(db):
    key = "brokkr_BRguess1_GuessedSecretThatMustNotBeKept"
    for _ in range(3):
        call("GET", "/api/v1/stacks", key=key, HTTP_USER_AGENT="guesser/1.0", HTTP_X_REQUEST_ID="guess-1")
    (row,) = AuditLog.objects.filter(action="auth.failed")
    assert row.details == {"reason": "invalid_pak", "path": "/stacks"}
    assert (row.actor_type, row.actor_id, row.resource_type, row.resource_id) == (
        "system",
        None,
        "system",
        None,
    )
    assert (row.ip_address, row.user_agent, row.request_id) == ("127.0.0.1", "guesser/1.0", "guess-1")
    assert "GuessedSecret" not in str(AuditLog.objects.values())


def test_a_missing_key_is_not_audited(anonymous):
    refused(anonymous.get("/stacks"), 401, "unauthorized")
    assert not AuditLog.objects.exists()


def test_the_path_of_a_refused_key_is_kept_with_its_escapes(db):
    refused(call("GET", "/api/v1/stacks/%00/a%20b", key="a_b_c"), 404, "not_found")
    refused(call("GET", "/api/v1/stacks/%00%20", key="a_b_c"), 401, "unauthorized")
    (row,) = AuditLog.objects.filter(action="auth.failed")
    assert row.details == {"reason": "invalid_pak", "path": "/stacks/%00%20"}
