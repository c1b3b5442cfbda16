"""Answers without a body carry no header about one."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from core.middleware import RequestMiddleware
from tests.factories import make_stack

OF_BODIES = {
    "Content-Type",
    "Content-Length",
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
}


@pytest.mark.parametrize("status", [204, 304])
def test_headers_about_a_body_are_taken_off(status):
    headers = dict.fromkeys(OF_BODIES | {"ETag", "Vary"}, "x")
    middleware = RequestMiddleware(lambda _request: HttpResponse(status=status, headers=headers))
    answer = middleware(RequestFactory().get("/"))
    assert set(answer.headers) == {"ETag", "Vary", "X-Request-Id"}


@pytest.mark.django_db
def test_a_stack_that_has_not_changed_is_304_without_them(admin):
    path = f"/stacks/{make_stack().id}"
    whole = admin.get(path)
    assert OF_BODIES - {"Content-Security-Policy"} <= set(whole.headers)
    same = admin.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert same.status_code == 304
    assert not OF_BODIES & set(same.headers)
    assert same.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.django_db
def test_a_deleted_stack_is_204_without_them(admin):
    answer = admin.delete(f"/stacks/{make_stack().id}")
    assert answer.status_code == 204
    assert not OF_BODIES & set(answer.headers)
