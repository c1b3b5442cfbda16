"""The rate limit of each key, when one is configured."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.rates import is_limited, take_token
from paks.api.caller import caller


class KeyThrottle(BaseThrottle):
    """Takes one token per request. Raises RateLimited with the seconds to wait."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if is_limited():
            take_token(caller(request).key_id)
        return True
