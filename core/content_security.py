"""The Content-Security-Policy of our pages: everything comes from this server, nothing is written into the page.

Two things are allowed beyond that, because the admin's theme needs them. It runs on Alpine, which compiles the
expressions in its attributes ('unsafe-eval'), and sets a few `style` attributes ('unsafe-inline' for attributes
alone). No page needs an inline script or style sheet, so no nonce is handed out either.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_HEADER = "Content-Security-Policy"


def _policy(*, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {script}",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


ADMIN_POLICY = _policy(script="'self' 'unsafe-eval'")
PAGE_POLICY = _policy(script="'self'")


class ContentSecurityMiddleware:
    """Adds the policy to HTML pages. Answers of the API get none, so that polls stay cheap."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            is_admin = request.path_info.startswith("/admin")
            response.headers[_HEADER] = ADMIN_POLICY if is_admin else PAGE_POLICY
        return response
