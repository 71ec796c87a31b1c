"""Turns every exception of a view into problem details; what it does not know stays an exception (a 500)."""

import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from config.problems import problem
from config.rest.faults import Fault, Problem

CODES = {
    exceptions.ParseError: "malformed-body",
    exceptions.AuthenticationFailed: "authentication-failed",
    exceptions.NotAuthenticated: "authentication-required",
    exceptions.PermissionDenied: "permission-denied",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
}


def exception_handler(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The problem response, or None where the exception is a fault of the service itself."""
    if isinstance(exception, Http404):
        exception = exceptions.NotFound("There is nothing at this address.")
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    if not isinstance(exception, exceptions.APIException):
        return None
    set_rollback()
    view, request = context.get("view"), context.get("request")
    if isinstance(exception, Problem):
        response: HttpResponse = problem(
            exception.status_code,
            exception.problem_code,
            exception.problem_detail,
            errors=[fault.as_json() for fault in exception.faults],
        )
        for name, value in exception.headers.items():
            response[name] = value
        return response
    code = next((CODES[kind] for kind in type(exception).__mro__ if kind in CODES), "request-refused")
    detail, faults = str(exception.detail), []
    if isinstance(exception, exceptions.MethodNotAllowed) and view is not None:
        accepted = view.allowed_methods
        detail = (
            f"{str(request.method if request else '')[:20]} is not possible here; use {', '.join(accepted)}."
        )
        faults = [Fault("", "method", detail, accepted)]
    elif isinstance(exception, exceptions.NotAcceptable) and view is not None:
        accepted = [renderer.media_type for renderer in view.get_renderers()]
        detail = f"The Accept header admits none of {', '.join(accepted)}."
        faults = [Fault("header:Accept", "media_type", detail, accepted)]
    elif isinstance(exception, exceptions.UnsupportedMediaType) and view is not None:
        accepted = [parser.media_type for parser in view.get_parsers()]
        detail = f"The Content-Type is not accepted; use {', '.join(accepted)}."
        faults = [Fault("header:Content-Type", "media_type", detail, accepted)]
    wait = getattr(exception, "wait", None)
    response = problem(
        exception.status_code,
        code,
        detail,
        retry_after_seconds=None if wait is None else math.ceil(wait),
        errors=[fault.as_json() for fault in faults],
    )
    if header := getattr(exception, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response
