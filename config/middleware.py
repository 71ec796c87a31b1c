"""Middleware: request id, body limits, 503 without a database, the admin's content policy, change context."""

import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pghistory.middleware
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP

from config import request_id
from config.metrics.requests import count_exception
from config.problems import problem

GetResponse = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)
MAX_JSON_DEPTH = 64
MAX_DISCARDED_BYTES = 32_000_000
JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # an unclosed one runs to the end
OPENING, CLOSING = np.frombuffer(b"[{", dtype=np.uint8), np.frombuffer(b"]}", dtype=np.uint8)


class RequestIdMiddleware:
    """Adopts or makes the request id and returns it in `X-Request-ID`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        value = request_id.begin(request.headers.get("X-Request-ID"), request)
        request.request_id = value  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            request_id.end()
        response["X-Request-ID"] = value
        return response


class DatabaseUnavailableMiddleware:
    """Answers 503 where the database cannot be reached, whether a view or another middleware found out.

    A view's exception arrives in `process_exception`. An inner middleware's has become a 500 on its way
    here, which is why `handler500` in `config/errors.py` asks the same question.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(exception)


def unavailable(exception: BaseException) -> HttpResponse | None:
    """The 503 for an unreachable database, or None for any other exception.

    `OperationalError` without an SQLSTATE, or with one of class 08 (connection), 53 (resources) or 57P
    (shutdown), is the server's absence; a statement's own failure, such as a deadlock, is not.
    """
    if not isinstance(exception, OperationalError | InterfaceError):
        return None
    state = getattr(exception.__cause__, "sqlstate", None)
    if state is not None and not state.startswith(("08", "53", "57P")):
        return None
    count_exception(exception)
    logger.error("database unavailable: %s", " ".join(str(exception).split()))
    return problem(
        503, "database-unavailable", "The database cannot be reached; nothing was changed. Try again.", 5
    )


class BodyLimitMiddleware:
    """Refuses a body above `ATLAS_MAX_BODY_BYTES` by its announced length, before anything reads it.

    A WSGI server gives no more of a body than Content-Length announces; a chunked body is refused.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            return problem(411, "length-required", "Send the body with a Content-Length.")
        announced = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.ATLAS_MAX_BODY_BYTES
        if not announced.isdecimal():
            return problem(400, "content-length", "Content-Length is not a whole number.")
        if int(announced) > limit:
            discard_body(request, int(announced))
            return problem(
                413,
                "body-too-large",
                f"The body has {int(announced):,} bytes; at most {limit:,} are accepted.",
            )
        return self.get_response(request)


def discard_body(request: HttpRequest, announced: int) -> None:
    """Read a refused body, up to a bound: many clients look for no answer before they have sent all of it."""
    stream, remaining = request.META["wsgi.input"], min(announced, MAX_DISCARDED_BYTES)
    while remaining > 0 and (chunk := stream.read(min(remaining, 65_536))):
        remaining -= len(chunk)


class JsonDepthMiddleware:
    """Refuses a JSON body nested deeper than any resource is, before a parser recurses into it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "json" in (request.content_type or "") and nested_deeper_than(request.body, MAX_JSON_DEPTH):
            detail = f"The JSON is nested deeper than {MAX_JSON_DEPTH} levels."
            accepted = f"at most {MAX_JSON_DEPTH} levels"
            fault = {"pointer": "", "code": "too_deep", "detail": detail, "accepted": accepted}
            return problem(400, "json-too-deep", detail, errors=[fault])
        return self.get_response(request)


def nested_deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets outside strings nest deeper than the limit; linear in the body, whatever it holds."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    characters = np.frombuffer(JSON_STRING.sub(b"", body), dtype=np.uint8)
    steps = np.isin(characters, OPENING).astype(np.int32) - np.isin(characters, CLOSING)
    return bool(steps.cumsum().max(initial=0) > limit)


# The admin's Alpine.js evaluates attributes as expressions and sets styles; no other page needs either.
ADMIN_CSP = {
    **settings.SECURE_CSP,
    "script-src": [CSP.SELF, CSP.NONCE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}


class AdminContentSecurityPolicyMiddleware:
    """Gives the admin the wider policy that its interface needs, and nothing else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/") and not hasattr(response, "_csp_config"):
            response._csp_config = ADMIN_CSP  # type: ignore[attr-defined]
        return response


class ChangeContextMiddleware(pghistory.middleware.HistoryMiddleware):  # type: ignore[misc]
    """Notes the user, the address and the request id with each change that a request makes."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_context(request), "request_id": request_id.current_request_id()}
