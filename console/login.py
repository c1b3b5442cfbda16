"""The login form. An address that guesses must wait; django-axes counts failures in the database."""

from datetime import timedelta

from axes.models import AccessBase
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from core.middleware import client_address, is_behind_unknown_proxy


def address(request: HttpRequest) -> str | None:
    """The address whose failures are counted together: that of the client behind our own proxies."""
    return client_address(request.META, settings.TRUSTED_PROXY_COUNT)


def counted_together(attempt: HttpRequest | AccessBase, _credentials: object = None) -> list[str | list[str]]:
    """What the failures have in common that lock out together: the address, and the user if it is a proxy's that no
    setting names, because everybody's failures come from that address.
    """
    through_proxy = isinstance(attempt, HttpRequest) and is_behind_unknown_proxy(
        attempt.META, settings.TRUSTED_PROXY_COUNT
    )
    return [["username", "ip_address"]] if through_proxy else ["ip_address"]


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # the theme's class carries no types
    """Says that the address must wait, where Django would say that name and password are wrong."""

    def get_invalid_login_error(self) -> ValidationError:
        if not getattr(self.request, "axes_locked_out", False):
            error: ValidationError = super().get_invalid_login_error()
            return error
        minutes = settings.AXES_COOLOFF_TIME // timedelta(minutes=1)
        return ValidationError(
            f"Too many failed attempts from your address. Try again {minutes} minutes after the last of them.",
            code="locked_out",
        )
