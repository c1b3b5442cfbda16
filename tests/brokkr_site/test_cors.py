"""Pages of other origins."""

import pytest
import yaml

from tests.support.api import refused
from tests.support.server import ROOT

ORIGIN = "http://localhost:3001"


def preflight(api, path: str = "/stacks", origin: str = ORIGIN, method: str = "DELETE"):
    return api.request("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method})


@pytest.mark.django_db
def test_a_preflight_needs_no_key_and_says_what_the_page_may_do(anonymous):
    response = preflight(anonymous)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(
        response.headers["Access-Control-Allow-Methods"].split(", ")
    )
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "if-match", "idempotency-key"} <= set(allowed)
    assert response.headers["Access-Control-Max-Age"] == "3600"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.django_db
def test_a_page_may_send_every_header_that_the_api_takes(anonymous):
    document = yaml.load(
        (ROOT / "openapi" / "brokkr-v1.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    taken = {
        parameter["name"].lower()
        for item in document["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    allowed = preflight(anonymous).headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert taken <= set(allowed)


@pytest.mark.django_db
def test_a_page_of_an_allowed_origin_reads_answers_and_refusals(admin, anonymous):
    for answer in (
        admin.get("/stacks", headers={"Origin": ORIGIN}),
        anonymous.get("/stacks", headers={"Origin": ORIGIN}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.django_db
def test_other_origins_are_allowed_nothing(admin):
    for answer in (
        preflight(admin, origin="https://evil.example"),
        admin.get("/stacks", headers={"Origin": "https://evil.example"}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.django_db
def test_a_star_allows_any_origin(admin, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True
    assert preflight(admin, origin="https://any.example").headers["Access-Control-Allow-Origin"] == "*"


def test_the_admin_site_is_no_matter_of_other_origins(client):
    response = client.get("/admin/login/", headers={"origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_probes_may_be_read_by_pages(client):
    assert client.get("/healthz", headers={"origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.django_db
def test_options_that_is_no_preflight_still_needs_a_key(anonymous):
    refused(anonymous.request("OPTIONS", "/stacks"), 401, "unauthorized")
