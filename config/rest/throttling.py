"""Limits on requests: by token, by person, or by address where nobody is known."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class ClientThrottle(SimpleRateThrottle):
    """One budget for each token, person or address; rates `token` and `anonymous` in the settings."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: Any) -> str:
        if request.auth is not None:
            return f"throttle:token:{request.auth.pk}"
        if request.user is not None and request.user.is_authenticated:
            return f"throttle:user:{request.user.pk}"
        return f"throttle:address:{self.get_ident(request)}"

    def allow_request(self, request: Request, view: Any) -> bool:
        known = request.auth is not None or (request.user is not None and request.user.is_authenticated)
        self.scope = "token" if known else "anonymous"
        self.rate = self.get_rate()
        self.num_requests, self.duration = self.parse_rate(self.rate)
        allowed: bool = super().allow_request(request, view)
        return allowed
