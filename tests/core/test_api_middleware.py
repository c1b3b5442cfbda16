"""Calls of the API pass by what only pages need, and their answers have the same headers all the same."""

import pytest
from django.test import Client

from core.middleware import RequestMiddleware

pytestmark = pytest.mark.django_db

DJANGOS = [
    f"{RequestMiddleware.__module__}.{RequestMiddleware.__name__}",
    "config.middleware.ReloadMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.PageSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.middleware.PageAuthenticationMiddleware",
    "core.middleware.PageMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.PageSecurityPolicyMiddleware",
    "rollouts.middleware.FreezeOverrideMiddleware",
    "audit.middleware.RefusedAttemptsMiddleware",
]
FROM_A_PAGE = {"Origin": "http://localhost:3001"}
PREFLIGHT = FROM_A_PAGE | {"Access-Control-Request-Method": "PUT"}


@pytest.fixture(params=[[], ["http://localhost:3001"]], ids=["no origin", "an origin"])
def admitted(request, settings):
    settings.CORS_ALLOWED_ORIGINS = request.param


@pytest.mark.usefixtures("admitted")
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/api/v1/stacks", {}),
        ("GET", "/api/v1/stacks", FROM_A_PAGE),
        ("GET", "/api/v1/stacks", {"Origin": "http://elsewhere"}),
        ("POST", "/api/v1/stacks", {}),
        ("POST", "/api/v1/generators", FROM_A_PAGE),
        ("DELETE", "/api/v1/stacks/x", {}),
        ("OPTIONS", "/api/v1/stacks", {}),
        ("OPTIONS", "/api/v1/stacks", FROM_A_PAGE),
        ("OPTIONS", "/api/v1/stacks", PREFLIGHT),
        ("GET", "/api/v1/nothing", {}),
        ("GET", "/api/nothing", FROM_A_PAGE),
        ("GET", "/healthz", FROM_A_PAGE),
        ("GET", "/admin/login/", {}),
        ("POST", "/admin/login/", FROM_A_PAGE),
        ("GET", "/static/core/access.js", {}),
    ],
)
def test_answers_are_those_of_djangos_own_chain(admin, settings, method, path, headers):
    headers = headers | {"Authorization": f"Bearer {admin.key}", "X-Request-Id": "r-1"}
    ours = answer(method, path, headers)
    settings.MIDDLEWARE = DJANGOS
    assert ours == answer(method, path, headers)


def test_an_unknown_host_is_refused(settings):
    settings.ALLOWED_HOSTS = ["here"]
    refused = Client().get("/api/v1/stacks", headers={"Host": "elsewhere"})
    assert refused.status_code == 400
    assert refused.json()["code"] == "bad_request"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert Client().get("/api/v1/stacks", headers={"Host": "here"}).status_code == 401


def answer(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    response = Client(enforce_csrf_checks=True).generic(method, path, headers=headers)
    if response.streaming:
        # A file, which is closed at its end.
        response.getvalue()
    told = dict(response.headers)
    if path.startswith("/admin"):
        # Pages have a secret that is new each time.
        told.pop("Content-Length", None)
    return response.status_code, told
