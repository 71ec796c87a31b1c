"""RFC 9457 problem details for answers given before a view is reached."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

from config.request_id import current_request_id


def problem(
    status: int,
    code: str,
    detail: str,
    retry_after_seconds: int | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    **members: Any,
) -> JsonResponse:
    """An `application/problem+json` response with the request id; `code` names the kind of problem.

    `errors` are {pointer, code, detail, accepted}, one for each thing that is wrong; `members` are further
    members of the object.
    """
    response = JsonResponse(
        {
            "type": f"urn:inference-atlas:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "errors": list(errors),
            "request_id": current_request_id(),
            **members,
        },
        status=status,
        content_type="application/problem+json",
    )
    response["Cache-Control"] = "no-store"
    if retry_after_seconds is not None:
        response["Retry-After"] = str(retry_after_seconds)
    return response
