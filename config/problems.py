"""RFC 9457 problem details for answers given before a view is reached."""

from http import HTTPStatus

from django.http import JsonResponse

from config.request_id import current_request_id


def problem(status: int, code: str, detail: str, retry_after_seconds: int | None = None) -> JsonResponse:
    """An `application/problem+json` response with the request id; `code` names the kind of problem."""
    response = JsonResponse(
        {
            "type": f"urn:inference-atlas:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "errors": [],
            "request_id": current_request_id(),
        },
        status=status,
        content_type="application/problem+json",
    )
    response["Cache-Control"] = "no-store"
    if retry_after_seconds is not None:
        response["Retry-After"] = str(retry_after_seconds)
    return response
