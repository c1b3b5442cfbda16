"""Each key's rate, when there is a limit."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.rates import is_limited, take_token
from paks.api.caller import caller


class KeyThrottle(BaseThrottle):
    """One token a request. Raises RateLimited itself, which knows how long to wait."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if is_limited():
            take_token(caller(request).key_id)
        return True
