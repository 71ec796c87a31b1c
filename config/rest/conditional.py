"""ETags: strong, made from the bytes of the answer; `If-None-Match` gets a 304, `If-Match` guards a write."""

import hashlib

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from config.rest.faults import Fault, Problem


def etag_of(body: bytes, version: int | None = None) -> str:
    """A strong ETag: a digest of the answer, led by the version of the row where it is one row."""
    digest = hashlib.sha256(body).hexdigest()[:20]
    return f'"{digest}"' if version is None else f'"v{version}-{digest}"'


def answer_not_modified(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """A 304 in place of the response where the client holds it already."""
    wanted = request.headers.get("If-None-Match")
    if wanted is None or request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    etag = response["ETag"]
    offered = {entry.strip().removeprefix("W/") for entry in wanted.split(",")}
    if etag not in offered and "*" not in offered:
        return response
    unchanged = HttpResponse(status=304)
    for name in ("ETag", "Vary", "Cache-Control"):
        if response.has_header(name):
            unchanged[name] = response[name]
    return unchanged


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
