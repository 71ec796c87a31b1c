"""ETags, strong: of the answer's bytes or of the state they rest on; `If-None-Match` and `If-Match`."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from config.code_version import code_version
from config.rest.faults import Fault, Problem


def etag_of(body: bytes, version: int | None = None) -> str:
    """A strong ETag: a digest of the answer, led by the version of the row where it is one row."""
    digest = hashlib.sha256(body).hexdigest()[:20]
    return f'"{digest}"' if version is None else f'"v{version}-{digest}"'


def etag_of_state(request: Request, marks: Mapping[str, int], *further: str) -> str:
    """A strong ETag of the answer to this request in the state that the marks name, told before it is made.

    Everything else that decides the bytes goes in: the address with its query, the host (links are absolute),
    the format, the code, and what the caller knows of besides. One whom we never answered does not know it.
    """
    parts = (
        code_version(),
        f"{request.scheme}://{request.get_host()}{request.get_full_path()}",
        str(request.accepted_renderer.format),
        *further,
        *(f"{kind}={value}" for kind, value in sorted(marks.items())),
    )
    return f'"s{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}"'


def offered_etags(request: Request) -> set[str]:
    """What `If-None-Match` names."""
    given = request.headers.get("If-None-Match", "")
    return {entry.strip().removeprefix("W/") for entry in given.split(",")} - {""}


def not_modified(headers: Mapping[str, Any]) -> HttpResponse:
    """A 304 with those of the headers that it repeats."""
    unchanged = HttpResponse(status=304)
    for name in ("ETag", "Vary", "Cache-Control"):
        if name in headers:
            unchanged[name] = headers[name]
    return unchanged


def answer_not_modified(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """A 304 in place of the response where the client holds it already."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    offered = offered_etags(request)
    if response["ETag"] not in offered and "*" not in offered:
        return response
    return not_modified(response.headers)


def check_if_match(request: Request, version: int, current_etag: str) -> None:
    """Let a write pass only where the client knows the version it changes.

    The ETags of all representations of one version (JSON, CSV, sparse) are accepted alike.

    Raises:
        Problem: 428 without `If-Match`, 412 with the current ETag where it names another version.
    """
    given = request.headers.get("If-Match")
    if given is None:
        detail = (
            "Send If-Match with the ETag of the version you read, so that nobody's change is overwritten."
        )
        raise Problem(
            428,
            "precondition-required",
            detail,
            [Fault("header:If-Match", "required", detail, current_etag)],
            {"ETag": current_etag},
        )
    offered = [entry.strip() for entry in given.split(",")]
    if "*" in offered or any(entry.startswith(f'"v{version}-') for entry in offered):
        return
    detail = "The row has changed since the version that If-Match names; read it again."
    raise Problem(
        412,
        "precondition-failed",
        detail,
        [Fault("header:If-Match", "stale", detail, current_etag)],
        {"ETag": current_etag},
    )
