"""The economics of a cached estimate, and every offer of a model against the endpoints that serve it."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.references import MODEL, WORKLOAD
from catalog.models import LanguageModel, Workload
from config.rest.faults import Fault, Problem, invalid_parameters, not_found
from config.rest.lookups import FALSE_WORDS, TRUE_WORDS, known
from config.rest.parameters import FORMATS, clean
from config.rest.rendering import CsvRenderer, JsonRenderer, Table
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.core.architecture_json import ArchitectureError
from estimates.core.facts import InvalidFact
from estimates.core.formats import UnknownFormat
from estimates.economics.against_hosted import AgainstHosted, against_hosted
from estimates.economics.asked import OwnedAsked
from estimates.economics.bases import BASES
from estimates.economics.pricing import basis_of
from estimates.economics.stored import stored_economics
from estimates.models import Estimate
from estimates.what_if import InvalidQuestion, read_question

PRICE: Final = ("basis", "provider", "region", "country", "as_of")
OWNED: Final = tuple(OwnedAsked.model_fields)
FLAGS: Final = ("explain", "sensitivity", "hosted")
OTHER: Final = ("energy", "counted")
MEANINGS: Final = {
    "basis": "on_demand (default), spot, reserved, owned, any (the cheapest to rent) or none",
    "provider": "only quotes of this provider",
    "region": "only quotes of this region",
    "country": "only quotes in this country, ISO 3166 alpha-2",
    "as_of": "prices as they stood on that day; default today",
    "explain": "1: the formulas with their numbers, as `steps`",
    "sensitivity": "1: which input moves the cost most",
    "hosted": "1: hosted endpoints of the same model, with the break-even",
    "energy": "1, or the two letters of a country for its carbon too",
    "counted": "output (default), input or blended: what `steps` and `sensitivity` count",
    "utilisation": "share of the hours paid for in which the machine runs at this load",
}

ECONOMICS = component(
    "Economics",
    {
        "type": "object",
        "description": "What tokens cost on a price basis. Money is decimal text. `tokens` has, by which "
        "tokens are counted, `usd_per_mtok`, its 80% interval and `tokens_per_usd`, the exact reciprocal; "
        "`missing` says what a cost lacks. Energy, steps, sensitivity and hosted on request.",
        "required": ["as_of", "basis", "price", "missing", "utilisation", "tokens", "assumptions"],
        "properties": {
            "as_of": {"type": "string", "format": "date"},
            "basis": {"type": "string", "enum": [*BASES, "given"]},
            "price": {
                "type": ["object", "null"],
                "description": "usd_per_hour of use, age_days, stale, and the quote or what owning costs",
            },
            "missing": {"type": ["string", "null"]},
            "utilisation": {"type": "string", "format": "decimal"},
            "tokens": {"type": ["object", "null"], "description": "output, input, blended"},
            "split": {"type": "object", "description": "the bill divided by machine time"},
            "assumptions": {"type": "array", "items": {"type": "string"}},
            "steps": {"type": "array", "items": {"type": "object"}},
            "energy": {"type": "object"},
            "sensitivity": {"type": ["object", "null"]},
            "hosted": {"type": "object"},
        },
    },
)
EXAMPLE: Final[dict[str, Any]] = {
    "as_of": "2026-11-22",
    "basis": "on_demand",
    "price": {"basis": "on_demand", "usd_per_hour": "3.6", "age_days": 12, "stale": False},
    "missing": None,
    "utilisation": "1",
    "tokens": {
        "output": {"usd_per_mtok": "1", "tokens_per_usd": "1000000"},
        "input": {"usd_per_mtok": "1", "tokens_per_usd": "1000000"},
        "blended": {"usd_per_mtok": "0.5", "tokens_per_usd": "2000000"},
    },
    "assumptions": [],
}


def read_price(given: dict[str, list[str]], faults: list[Fault]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(price, economics) of a question from parameters; what is no flag is a fault."""
    price: dict[str, Any] = {name: given[name][-1] for name in PRICE if name in given}
    price["owned"] = {name: given[name][-1] for name in OWNED if name in given and name != "utilisation"}
    parts: dict[str, Any] = {name: given[name][-1] for name in ("counted", "utilisation") if name in given}
    for name in FLAGS:
        if name in given:
            parts[name] = _flag(name, given[name][-1], faults)
    if "energy" in given:
        word = given["energy"][-1]
        if len(word) == 2 and word.isalpha():
            parts["energy"] = {"country": word}
        elif _flag("energy", word, faults):
            parts["energy"] = {}
    return price, parts


def _flag(name: str, word: str, faults: list[Fault]) -> bool:
    if word not in (*TRUE_WORDS, *FALSE_WORDS):
        faults.append(Fault(f"?{name}", "invalid", f"{name}={word[:60]!r} is not true or false", "1 or 0"))
    return word in TRUE_WORDS


def as_parameters(error: InvalidQuestion) -> Problem:
    """The faults of a question at the parameters they came from."""
    return invalid_parameters(
        [
            Fault("?" + fault.pointer.rpartition("/")[2], fault.code, fault.detail, fault.accepted)
            for fault in error.faults
        ]
    )


def _described(names: tuple[str, ...]) -> list[OpenApiParameter]:
    owned = OwnedAsked.model_fields
    return [
        OpenApiParameter(
            name,
            str,
            description=MEANINGS.get(name)
            or f"of owning: {owned[name].description or name.replace('_', ' ')}; default by segment",
            enum=BASES if name == "basis" else None,
        )
        for name in names
    ]


@extend_schema_view(
    get=extend_schema(
        operation_id="estimate_economics",
        summary="What the tokens of one estimate cost",
        tags=["estimates"],
        parameters=[
            OpenApiParameter("key", int, OpenApiParameter.PATH, description="id of the estimate"),
            *_described((*PRICE, *OWNED, *FLAGS, *OTHER)),
        ],
        responses={(200, "application/json"): ECONOMICS},
        examples=[OpenApiExample("On demand", value=EXAMPLE, response_only=True, status_codes=["200"])],
    )
)
class StoredEconomicsView(ApiView):
    """Price, cost of tokens, energy, sensitivity and hosted endpoints of a cached estimate.

    The cached throughput stands; cost is calculated from prices when asked and never stored.
    Example: `GET /api/v1/estimates/10234/economics?basis=owned&utilisation=0.6&explain=1&energy=FR&hosted=1`
    """

    def get(self, request: Request, key: str) -> Response:
        faults: list[Fault] = []
        given = clean(request.query_params, [*PRICE, *OWNED, *FLAGS, *OTHER, "format"], faults)
        price, parts = read_price(given, faults)
        if faults:
            raise invalid_parameters(faults)
        related = ("language_model", "workload", "offer")
        rows = Estimate.objects.select_related(*related)
        row = rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
        if row is None:
            raise not_found("estimate", key)
        try:
            return Response(stored_economics(row, price, parts))
        except InvalidQuestion as error:
            raise as_parameters(error) from None
        except (ArchitectureError, InvalidFact, UnknownFormat) as error:
            raise Problem(409, "cannot-explain", f"The facts behind it cannot be read now: {error}") from None


# ---- Break-even ----------------------------------------------------------------------------------------

COLUMNS: Final = (
    "offer",
    "accelerator",
    "count",
    "estimate",
    "basis",
    "usd_per_hour",
    "age_days",
    "stale",
    "output_tok_s",
    "usd_per_mtok_blended",
    "beats_cheapest",
    "break_even_utilisation_cheapest",
    "break_even_output_tok_s_cheapest",
    "beats_median",
    "break_even_utilisation_median",
    "break_even_output_tok_s_median",
)
BREAK_EVEN = component(
    "BreakEven",
    {
        "type": "object",
        "description": "Costs are USD per million tokens, input and output counted alike. "
        "`against_cheapest` and `against_median` have for each offer whether any load beats that endpoint, "
        "the utilisation at which it does, and the load then.",
        "required": ["model", "workload", "basis", "as_of", "endpoints", "offers", "unpriced"],
        "properties": {
            "model": {"type": "string"},
            "workload": {"type": "string"},
            "basis": {"type": "string", "enum": list(BASES)},
            "as_of": {"type": "string", "format": "date"},
            "cheapest": {"type": ["string", "null"], "description": "provider"},
            "median": {"type": ["string", "null"], "description": "provider"},
            "endpoints": {"type": "array", "items": {"type": "object"}},
            "offers": {"type": "array", "items": {"type": "object"}},
            "unpriced": {"type": "integer", "description": "offers without a price on this basis"},
            "beat_cheapest": {"type": "integer"},
            "beat_median": {"type": "integer"},
        },
    },
)
BREAK_EVEN_EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "workload": "chat",
    "basis": "on_demand",
    "as_of": "2026-11-22",
    "cheapest": "example-api",
    "median": "example-api",
    "endpoints": [{"provider": "example-api", "blended_usd_per_mtok": "0.9", "observed_on": "2026-11-12"}],
    "offers": [
        {
            "offer": "nvidia-h100-sxm-x8",
            "usd_per_mtok_blended": "0.5",
            "against_cheapest": {"beats_it": True, "break_even_utilisation": "0.555556"},
        }
    ],
    "unpriced": 0,
    "beat_cheapest": 1,
    "beat_median": 1,
}


def table(found: AgainstHosted, body: dict[str, Any]) -> Table:
    """The answer as JSON has it, and its offers as CSV."""
    rows = []
    for even in found.offers:
        shown = even.as_json()
        row = {name: shown[name] for name in ("offer", "accelerator", "count", "estimate")}
        row |= {name: shown["price"][name] for name in ("basis", "usd_per_hour", "age_days", "stale")}
        row |= {name: shown[name] for name in ("output_tok_s", "usd_per_mtok_blended")}
        for word in ("cheapest", "median"):
            against = shown[f"against_{word}"] or {}
            row[f"beats_{word}"] = against.get("beats_it")
            for name in ("break_even_utilisation", "break_even_output_tok_s"):
                row[f"{name}_{word}"] = against.get(name)
        rows.append(row)
    return Table(body, list(COLUMNS), rows)


@extend_schema_view(
    get=extend_schema(
        operation_id="break_even",
        summary="Own hardware against hosted endpoints",
        tags=["estimates"],
        parameters=[
            OpenApiParameter("model", str, description="slug of the model", required=True),
            OpenApiParameter("workload", str, description="slug of the workload; default chat"),
            *_described((*PRICE, *OWNED)),
            OpenApiParameter("format", str, enum=FORMATS, description="CSV has the offers."),
        ],
        responses={(200, "application/json"): BREAK_EVEN, (200, "text/csv"): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "Against the cheapest",
                value=BREAK_EVEN_EXAMPLE,
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )
)
class BreakEvenView(ApiView):
    """Every offer that runs a model against the endpoints that serve it, from the cache.

    Example: `GET /api/v1/estimates/break-even?model=gpt-oss-120b&workload=chat&basis=any`
    """

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def get(self, request: Request) -> Response:
        faults: list[Fault] = []
        names = ["model", "workload", *PRICE, *OWNED, "format"]
        given = clean(request.query_params, names, faults)
        if "model" not in given:
            faults.append(Fault("?model", "missing", "model is required", "the slug of a model"))
        models = known(MODEL, given.get("model", [])[-1:], "?model", faults)
        workloads = known(WORKLOAD, given.get("workload", ["chat"])[-1:], "?workload", faults)
        price, parts = read_price(given, faults)
        if faults:
            raise invalid_parameters(faults)
        model = LanguageModel.objects.get(slug=next(iter(models.values())))
        workload = Workload.objects.get(slug=next(iter(workloads.values())))
        try:
            asked = basis_of(read_question({"model": model.slug, "price": price, "economics": parts}))
        except InvalidQuestion as error:
            raise as_parameters(error) from None
        found = against_hosted(model, workload, asked)
        body = {
            "model": model.slug,
            "workload": workload.slug,
            "basis": asked.basis,
            "as_of": asked.day.isoformat(),
            "cheapest": found.cheapest.provider if found.cheapest else None,
            "median": found.median.provider if found.median else None,
            "endpoints": [price.as_json() for price in found.endpoints],
            "offers": [even.as_json() for even in found.offers],
            "unpriced": found.unpriced,
            "beat_cheapest": sum(bool(even.cheapest and even.cheapest.reached) for even in found.offers),
            "beat_median": sum(bool(even.median and even.median.reached) for even in found.offers),
        }
        return Response(table(found, body))
