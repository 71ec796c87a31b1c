"""Taking a change back over the API: a new change with its own reason, refused where it loses another."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.changes import CHANGES
from catalog.history.events import described
from catalog.history.origin import by_api
from catalog.history.revert import RevertRefusedError, revert_change
from config.access.models import Scope
from config.access.permissions import MayWrite
from config.rest.faults import Fault, Problem, invalid_body, not_found
from config.rest.parameters import without_parameters
from config.rest.schema import component, row_example
from config.rest.views import ApiView

LONGEST_REASON: Final = 2000
MOST_SHOWN: Final = 200
ACCEPTED_REASON: Final = f"text of 1 to {LONGEST_REASON} characters"


def read_body(body: Any) -> tuple[str, dict[str, Any]]:
    """The reason and the state that the client knows. Raises Problem (400) with every fault."""
    if not isinstance(body, dict):
        raise invalid_body([Fault("", "type", "the body is no JSON object", "an object")])
    faults = [
        Fault(
            f"/{name[:100]}",
            "unknown_field",
            f"there is no field {name[:100]!r}",
            ["change_reason", "current"],
        )
        for name in body
        if name not in ("change_reason", "current")
    ]
    reason = body.get("change_reason")
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= LONGEST_REASON or "\x00" in reason:
        code = "required" if reason is None else "invalid"
        faults.append(Fault("/change_reason", code, "change_reason says why", ACCEPTED_REASON))
    current = body.get("current", {})
    if not isinstance(current, dict):
        faults.append(
            Fault("/current", "type", "current is no object of fields and their values", "an object")
        )
    if faults:
        raise invalid_body(faults)
    return str(reason).strip(), current


BODY: Final = component(
    "ChangeRevert",
    {
        "type": "object",
        "required": ["change_reason"],
        "properties": {
            "change_reason": {"type": "string", "minLength": 1, "maxLength": LONGEST_REASON},
            "current": {
                "type": "object",
                "description": "fields that changed since, with the values that they have now: with it the "
                "change is taken back all the same. A 409 names them.",
            },
        },
        "additionalProperties": False,
    },
)
ANSWER: Final = component(
    "ChangeReverted",
    {
        "type": "object",
        "required": ["reverted", "count", "changes"],
        "properties": {
            "reverted": {"type": "string", "description": "id of the change taken back"},
            "count": {"type": "integer", "description": "changes made by it"},
            "changes": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Change"},
                "description": f"the changes made by it, at most {MOST_SHOWN}",
            },
        },
    },
)


@extend_schema_view(
    post=extend_schema(
        operation_id="revert_change",
        summary="Take one change back",
        tags=[CHANGES.name],
        request={"application/json": BODY},
        parameters=[OpenApiParameter("key", str, OpenApiParameter.PATH, description="id of the change")],
        responses={(200, "application/json"): ANSWER},
        examples=[
            OpenApiExample("Why", value={"change_reason": "The datasheet was misread"}, request_only=True),
            OpenApiExample(
                "Taken back",
                value={"reverted": "accelerators-17", "count": 1, "changes": [row_example(CHANGES)]},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
)
class RevertView(ApiView):
    """Takes one change back, as a new change with a reason: 409 where that would lose a later one.

    Only what the change changed is brought back. Of figures the one accepted before is accepted again.
    """

    permission_classes: Any = [MayWrite]
    write_scope = Scope.WRITE_FACTS
    write_permission = "catalog.change_figure"

    def post(self, request: Request, key: str) -> Response:
        without_parameters(request)
        reason, current = read_body(request.data)
        with by_api(request):
            try:
                done = revert_change(key, reason=reason, current=current)
            except RevertRefusedError as error:
                raise refused(error) from None
        if done is None:
            raise not_found("change", key)
        parts = [name.rpartition("-") for name in done.made[:MOST_SHOWN]]
        rows = described([(resource, int(number), None) for resource, _, number in parts])
        names = [column.name for column in CHANGES.columns]
        changes = [{name: row[name] for name in names} for row in rows]
        return Response({"reverted": done.change.id, "count": len(done.made), "changes": changes})


def refused(error: RevertRefusedError) -> Problem:
    """409 with each field that stands in the way and its present value."""
    faults = [
        Fault(f"/current/{name}", error.code, f"{name} is {value!r} now", value)
        for name, value in error.fields.items()
    ] or [Fault("", error.code, error.detail, error.accepted)]
    return Problem(409, f"revert-{error.code}", f"The change is not taken back: {error.detail}.", faults)
