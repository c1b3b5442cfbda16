"""POST /auth/pak: who the caller is."""

import hashlib

import pytest

from core.events import SYSTEM
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from tests.factories import make_agent, make_generator
from tests.support.api import Api, refused

pytestmark = pytest.mark.django_db


def test_an_admin_is_told_so_with_explicit_nulls(admin):
    response = admin.post("/auth/pak")
    assert response.status_code == 200
    assert response.json() == {"admin": True, "agent": None, "generator": None, "readonly": False}


def test_an_agent_is_told_its_id():
    agent, api = make_agent()
    assert api.post("/auth/pak").json() == {
        "admin": False,
        "agent": str(agent.id),
        "generator": None,
        "readonly": False,
    }


def test_a_generator_is_told_its_id():
    generator, api = make_generator()
    assert api.post("/auth/pak").json() == {
        "admin": False,
        "agent": None,
        "generator": str(generator.id),
        "readonly": False,
    }


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"anything": [1]}', b"not json"])
def test_the_body_is_not_looked_at(admin, raw):
    assert admin.post("/auth/pak", raw=raw).status_code == 200


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "Bearer   {}  "])
def test_the_key_may_come_bare_or_as_bearer(admin, form):
    response = Api(None).post("/auth/pak", headers={"Authorization": form.format(admin.key)})
    assert response.status_code == 200
    assert response.json()["admin"] is True


def test_no_key_is_401(anonymous):
    response = anonymous.post("/auth/pak")
    refused(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "brokkr_BRabcdef",
        "brokkr_BRabcdef_",
        "brokkr_BRabcdef_4Fh1x_9",
        "__",
        "brokkr_BRabcdef_unknownunknownunknown",
        "Bearer",
        "Basic YWRtaW46YWRtaW4=",
    ],
)
def test_a_malformed_or_unknown_key_is_401(anonymous, key):
    refused(anonymous.post("/auth/pak", headers={"Authorization": key}), 401, "unauthorized")


def test_a_revoked_key_is_401(admin):
    pak = Pak.objects.get(name="test admin")
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    refused(admin.post("/auth/pak"), 401, "unauthorized")


def test_the_right_secret_under_a_wrong_short_token_is_401(admin, anonymous):
    prefix, _, secret = admin.key.split("_")
    wrong = f"{prefix}_BRwrong1_{secret}"
    refused(anonymous.post("/auth/pak", headers={"Authorization": wrong}), 401, "unauthorized")


def test_a_key_known_only_by_its_hash_works_with_any_short_token(anonymous):
    secret = "GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8"
    Pak.objects.create(
        role=Role.ADMIN, name="given", short_token="", key_hash=hashlib.sha256(secret.encode()).hexdigest()
    )
    response = anonymous.post("/auth/pak", headers={"Authorization": f"brokkr_BR3rVsDa_{secret}"})
    assert response.json()["admin"] is True


def test_each_of_several_admin_keys_works_until_it_is_revoked(admin):
    second, key = issue_pak(role=Role.ADMIN, subject_id=None, name="second", actor=SYSTEM)
    other = Api(key)
    assert other.post("/auth/pak").json()["admin"] is True
    revoke_pak(pak_id=second.id, actor=SYSTEM)
    refused(other.post("/auth/pak"), 401, "unauthorized")
    assert admin.post("/auth/pak").status_code == 200


def test_only_the_hash_of_the_secret_is_stored(admin):
    pak = Pak.objects.get(name="test admin")
    secret = admin.key.split("_")[2]
    assert pak.key_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert all(secret not in str(value) for value in Pak.objects.filter(pk=pak.pk).values_list()[0])


def test_it_asks_the_database_once_when_the_key_is_in_use(admin, django_assert_num_queries):
    admin.post("/auth/pak")
    with django_assert_num_queries(1):
        admin.post("/auth/pak")
