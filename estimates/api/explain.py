"""The explanation of a cached estimate: formulas with their numbers, facts with their sources, the quote."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models.prices import PricingModel
from config.rest.faults import Fault, Problem, invalid_parameters, not_found
from config.rest.parameters import clean
from config.rest.views import ApiView
from estimates.api.estimates import PRICE_PARAMETERS, price_filter
from estimates.api.evaluate import ANSWER, ANSWER_EXAMPLE
from estimates.core.architecture_json import ArchitectureError
from estimates.core.facts import InvalidFact
from estimates.core.formats import UnknownFormat
from estimates.explanations import explain
from estimates.models import Estimate


@extend_schema_view(
    get=extend_schema(
        operation_id="explain_estimate",
        summary="Explain one estimate",
        tags=["estimates"],
        parameters=[
            OpenApiParameter("key", int, OpenApiParameter.PATH, description="id of the estimate"),
            *(
                OpenApiParameter(name, str, description="as in the list of estimates")
                for name in PRICE_PARAMETERS
            ),
        ],
        responses={(200, "application/json"): ANSWER},
        examples=[OpenApiExample("Answer", value=ANSWER_EXAMPLE, response_only=True, status_codes=["200"])],
    )
)
class ExplainView(ApiView):
    """How the numbers of an estimate come about, from the facts as they stand now.

    `as_stored` is false where a fact has changed since the cached row was made.
    """

    def get(self, request: Request, key: str) -> Response:
        faults: list[Fault] = []
        given = clean(request.query_params, [*PRICE_PARAMETERS, "format"], faults)
        basis = given.get("pricing_model", [PricingModel.ON_DEMAND])[0]
        if basis not in PricingModel.values:
            accepted: Any = list(PricingModel.values)
            faults.append(
                Fault("?pricing_model", "choice", f"pricing_model={basis[:60]!r} is unknown", accepted)
            )
        if faults:
            raise invalid_parameters(faults)
        related = ("calculation", "language_model", "workload", "offer")
        rows = Estimate.objects.select_related(*related)
        row = rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
        if row is None:
            raise not_found("estimate", key)
        try:
            return Response(explain(row, price_filter(given)))
        except (ArchitectureError, InvalidFact, UnknownFormat) as error:
            raise Problem(409, "cannot-explain", f"The facts behind it cannot be read now: {error}") from None
