"""The cached estimates, ranked: speed, cost on each price basis, what binds, how sure, which versions."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponseBase, QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.prices import parse_date
from catalog.api.references import ACCELERATOR, MODEL, OFFER, PROVIDER, VENDOR, WORKLOAD
from catalog.marks import Marks, read_marks
from catalog.models.accelerators import AcceleratorKind, Segment, Status
from catalog.models.prices import PricingModel
from catalog.prices import PriceFilter
from config.rest import pages
from config.rest.columns import (
    Parameter,
    Resource,
    Row,
    Type,
    attached,
    boolean,
    choice,
    integer,
    money,
    number,
    slug,
    text,
    time,
)
from config.rest.conditional import etag_of_state, not_modified, offered_etags
from config.rest.faults import Fault, invalid_parameters
from config.rest.lookups import known
from config.rest.parameters import read_list
from config.rest.views import HEADERS, DetailView, ListView, list_response, read_detail
from config.snapshot import one_snapshot
from estimates import models
from estimates.api import ranked
from estimates.api.ranked import KINDS, TABLE, Prices, State, chosen_prices
from estimates.cost import with_costs
from estimates.method import method_version
from estimates.models import Estimate, Limit, Objective, Tier

FITTING = (models.State.OK, models.State.SATURATED)
OBJECTIVES = {member.name.lower(): member for member in Objective}
STATES = {member.name.lower(): member for member in models.State}
ALL = "all"
PRICE_PARAMETERS = ("pricing_model", "provider", "region", "country", "as_of")


def within_service_level_first(rows: QuerySet[Any]) -> QuerySet[Any]:
    """One row a model, workload and offer: the highest throughput within the service level, else the fastest.

    An offer that keeps neither of the two (it does not fit, or is refused) has its only row.
    """
    running = Estimate.objects.filter(
        language_model=OuterRef("language_model"),
        workload=OuterRef("workload"),
        offer=OuterRef("offer"),
        state__in=FITTING,
    )
    within = Exists(running.filter(objective=Objective.THROUGHPUT_WITHIN))
    fastest = Exists(running.filter(objective=Objective.FASTEST))
    return rows.filter(
        Q(objective=Objective.THROUGHPUT_WITHIN, state__in=FITTING)
        | Q(objective=Objective.FASTEST, state__in=FITTING) & ~within
        | Q(objective=Objective.THROUGHPUT) & ~within & ~fastest
    )


def _objective(rows: QuerySet[Any], values: list[str]) -> QuerySet[Any]:
    return rows if ALL in values else rows.filter(objective__in=[OBJECTIVES[value] for value in values])


def _state(rows: QuerySet[Any], values: list[str]) -> QuerySet[Any]:
    return rows if ALL in values else rows.filter(state__in=[STATES[value] for value in values])


ESTIMATES = Resource(
    name="estimates",
    noun="estimate",
    meaning="The best deployment of a model on an offer under a workload, from the cache: speeds with an 80% "
    "interval, cost, the limit that binds, a grade of evidence, and the versions it was made from.",
    rows=lambda: Estimate.objects.filter(offer__retired=False),
    key="id",
    ordering=("usd_per_mtok_output", "model", "workload", "offer"),
    deep=True,
    parameters=(
        Parameter(
            "objective",
            "Which of the kept answers. Default: the highest throughput within the service level, and where "
            "nothing is within it the fastest, marked meets_service_level=false.",
            _objective,
            words=(*OBJECTIVES, ALL),
            repeatable=True,
        ),
        Parameter("state", "Default: ok and saturated.", _state, words=(*STATES, ALL), repeatable=True),
        Parameter(
            "pricing_model",
            "Basis of usd_per_hour, usd_per_mtok_* and quote; default on_demand.",
            words=tuple(PricingModel.values),
        ),
        Parameter("provider", "Only quotes of these providers.", repeatable=True),
        Parameter("region", "Only quotes of these regions.", repeatable=True),
        Parameter("country", "Only quotes in these countries, ISO 3166 alpha-2.", repeatable=True),
        Parameter("as_of", "Prices as they stood on that day; default today."),
    ),
    columns=(
        integer("id", source="pk", example=10234),
        slug("model", source="language_model__slug", reference=MODEL, example="llama-3.1-70b-instruct"),
        slug("workload", source="workload__slug", reference=WORKLOAD, example="chat"),
        slug("offer", source="offer__slug", reference=OFFER, example="nvidia-h100-sxm-x8"),
        slug("accelerator", source="offer__accelerator__slug", reference=ACCELERATOR),
        text("accelerator_name", source="offer__accelerator__name", nullable=False, example="H100 SXM"),
        slug("vendor", source="offer__accelerator__vendor__slug", reference=VENDOR, example="nvidia"),
        choice("kind", AcceleratorKind, source="offer__accelerator__kind"),
        choice("segment", Segment, source="offer__accelerator__segment"),
        choice("status", Status, "of the accelerator", source="offer__accelerator__status"),
        integer("count", "accelerators of the offer", source="offer__count"),
        attached("systems", "names of the machines that are this offer", example=["DGX H100"]),
        choice("objective", Objective, filterable=False, example="throughput_within"),
        choice("state", models.State, filterable=False),
        text("reason", "why it does not fit or is refused"),
        boolean("meets_service_level", "of the workload"),
        text("weight_format", example="fp8"),
        text("kv_format", example="fp8"),
        integer("tp", "tensor parallel", nullable=True),
        integer("pp", "pipeline parallel", nullable=True, example=1),
        integer("ep", "expert parallel", nullable=True, example=1),
        integer("dp", "attention data parallel", nullable=True, example=1),
        integer("replicas", nullable=True, example=1),
        integer("concurrency", "requests in flight on the whole offer", nullable=True, example=256),
        number("tpot_ms", "time per output token", example=31.2),
        number("tpot_low_ms", "of the 80% interval", example=24.9),
        number("tpot_high_ms", example=39.0),
        number("ttft_ms", "time to first token, loaded mean", example=412.0),
        number("ttft_low_ms", example=310.0),
        number("ttft_high_ms", example=547.0),
        number("ttft_unloaded_ms", example=48.0),
        number("throughput_tok_s", "output tokens a second of the whole offer", example=7900.0),
        number("throughput_low_tok_s", example=6300.0),
        number("throughput_high_tok_s", example=9900.0),
        number("tok_s_per_user", example=32.1),
        number("memory_used_gb", "a chip", example=70.1),
        number("memory_usable_gb", "a chip", example=79.6),
        number("shortfall_gb", "a chip, when it does not fit"),
        choice("binding_limit", Limit, nullable=True, example="bandwidth"),
        text("grade", "A measured, B calibrated on this chip, C on its kin, D datasheet only", example="B"),
        choice("tier", Tier, nullable=True, example="kin"),
        money("usd_per_hour", "of the whole offer, on the pricing model asked for", example="22.4"),
        money("usd_per_mtok_output", "per million output tokens, at full load", example="0.787"),
        money("usd_per_mtok_input", "the same bill per million input tokens", example="0.787"),
        money("usd_per_mtok_blended", "the same bill per million tokens of both kinds", example="0.394"),
        attached(
            "quote", "the price that cost is calculated with", nullable=True, example={"provider": "aws"}
        ),
        attached("costs", "by pricing model with a quote: cost and quote", example={"on_demand": {}}),
        integer("model_version", source="calculation__model_version", example=1),
        integer("accelerator_version", source="calculation__accelerator_version", example=3),
        text("method_version", source="calculation__method_version", nullable=False),
        time("calculated_at", source="calculation__calculated_at", nullable=True),
        attached(
            "stale", "a fact has changed since; recalculation is under way", Type.BOOLEAN, example=False
        ),
        attached(
            "explain", "address of the explanation", Type.TEXT, example="/api/v1/estimates/10234/explain"
        ),
    ),
    example_query="model=llama-3.1-70b-instruct&workload=chat&ordering=usd_per_mtok_output&limit=200",
)


def price_filter(given: dict[str, list[str]]) -> PriceFilter:
    """The price filter that the parameters ask for. Raises Problem (400) for what cannot be."""
    faults: list[Fault] = []
    providers = known(PROVIDER, given["provider"], "?provider", faults) if "provider" in given else {}
    for country in given.get("country", []):
        if len(country) != 2 or not country.isascii() or not country.isalpha():
            accepted = "two letters of ISO 3166"
            faults.append(
                Fault("?country", "invalid", f"country={country[:20]!r} is not {accepted}", accepted)
            )
    if faults:
        raise invalid_parameters(faults)
    return PriceFilter(
        pricing_model=given.get("pricing_model", [PricingModel.ON_DEMAND])[0],
        providers=tuple(providers.values()),
        regions=tuple(given.get("region", ())),
        countries=tuple(country.upper() for country in given.get("country", ())),
        as_of=parse_date("as_of", given["as_of"][0]) if "as_of" in given else None,
    )


def priced(criteria: PriceFilter) -> tuple[Resource, Prices]:
    """The resource with its cost columns filled from the quotes that the criteria choose."""
    prices = chosen_prices(criteria)

    def attach(pks: list[int], rows: list[Row], wanted: set[str]) -> None:
        attach_context(pks, rows, wanted, prices)

    resource = replace(ESTIMATES, rows=lambda: with_costs(ESTIMATES.rows(), prices.ranking), attach=attach)
    return resource, prices


def attach_context(pks: list[int], rows: list[Row], wanted: set[str], prices: Prices) -> None:
    """Add systems, quotes, costs, staleness and the address of the explanation to rows of estimates."""
    columns = tuple(ESTIMATES.column(name) for name in sorted(wanted))
    found = list(Estimate.objects.filter(pk__in=pks).values_list("pk", "offer_id"))
    state = State({})
    made = ranked.details([ESTIMATES.column("id"), *columns], found, state, prices)
    by_pk = {row["id"]: row for row in made}
    for pk, row in zip(pks, rows, strict=True):
        row |= {name: value for name, value in by_pk[pk].items() if name != "id"}


class EstimateListView(ListView):
    """Which hardware runs a model, how fast, for how many users, at what cost; ranked as asked."""

    resource = ESTIMATES
    state_class: type[State] = State

    def get(self, request: Request) -> HttpResponseBase:
        """The marks are read before and after: where they agree, all was read from the state they name.

        Where they do not, the rows may have been ranked in one state and shown in another: the answer is
        made once more, of one snapshot.
        """
        named = request.query_params.getlist("model")
        marks, day = read_marks(KINDS, named), timezone.now().date()
        etag = etag_of_state(request, marks, method_version(), day.isoformat())
        if etag in offered_etags(request):
            return not_modified({**HEADERS, "ETag": etag})
        state, response = self.answer(request, marks, day)
        if read_marks(KINDS, named) != marks:
            with one_snapshot():
                marks = read_marks(KINDS, named)
                state, response = self.answer(request, marks, day)
            etag = etag_of_state(request, marks, method_version(), day.isoformat())
        state.keep()
        response["ETag"] = etag
        return response

    def answer(self, request: Request, marks: Marks, day: date) -> tuple[State, HttpResponseBase]:
        """What was read under these marks, and the list made of it."""
        state = self.state_class(marks)
        return state, list_response(request, self.page(request, state, day))

    def page(self, request: Request, state: State, day: date) -> pages.Page:
        """The rows that the query string asks for. Raises Problem (400) with every fault."""
        query = read_list(ESTIMATES, with_defaults(request.query_params))
        own = {name: query.parameters.pop(name) for name in PRICE_PARAMETERS if name in query.parameters}
        criteria = price_filter(own)
        prices = state.prices(replace(criteria, as_of=criteria.as_of or day))
        best = "objective" not in request.query_params

        def rows() -> QuerySet[Any]:
            found = with_costs(ESTIMATES.rows(), TABLE)
            return within_service_level_first(found) if best else found

        if query.after is None:
            return ranked.page(replace(ESTIMATES, rows=rows), query, f"best={best}", state, prices)
        return ranked.walk(replace(ESTIMATES, rows=rows), query, state, prices)


def with_defaults(given: QueryDict) -> QueryDict:
    """The query with the default states where it names none."""
    if "state" in given:
        return given
    query = given.copy()
    query.setlist("state", [state.name.lower() for state in FITTING])
    return query


class EstimateDetailView(DetailView):
    """One cached estimate by its id, with on-demand, spot and reserved costs."""

    resource = ESTIMATES

    def get(self, request: Request, key: str) -> Response:
        return Response(read_detail(priced(PriceFilter())[0], request, key))
