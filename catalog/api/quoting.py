"""Posting observed prices: one quote or a list of them, all or none, each with its source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import pghistory
from django.db import DataError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.editing import source_of
from catalog.api.prices import PRICE_QUOTES
from catalog.history.origin import by_api
from catalog.models import Accelerator, PriceQuote, Provider, Source
from catalog.new_quotes import NewQuote, add_quotes
from config.access.idempotency import Written, once
from config.access.models import Scope
from config.access.permissions import MayWrite
from config.rest import pages
from config.rest.faults import Fault, Problem, invalid_body, nearest
from config.rest.parameters import without_parameters
from config.rest.rendering import JsonRenderer
from config.rest.schema import COMPONENTS, Schema, component, row_example
from config.rest.views import ListView

MOST_QUOTES: Final = 1000
MOST_FAULTS: Final = 100
Words = Annotated[str, Field(max_length=200, pattern=r"^\S(.*\S)?$")]


class QuoteSource(BaseModel):
    """Where the price was seen: the slug of a known source, or url and title of one to add."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(default="", max_length=200)
    url: str = Field(default="", max_length=1000, pattern=r"^(https?://\S+)?$")
    title: str = Field(default="", max_length=500)
    publisher: str = Field(default="", max_length=200)
    published_on: str = Field(default="", max_length=10)


class QuotePosted(BaseModel):
    """A price as a provider asked it; of the whole offering, whatever number of accelerators it has."""

    model_config = ConfigDict(extra="forbid")

    provider: str = Field(max_length=100, description="slug")
    offering: Words = Field(description="as the provider names it")
    accelerator: str = Field(max_length=100, description="slug")
    accelerator_count: Annotated[Decimal, Field(gt=0, lt=1_000_000, max_digits=9, decimal_places=3)]
    region: str = Field(default="", max_length=100)
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$", description="ISO 3166 alpha-2")
    price_per_hour: Annotated[Decimal, Field(gt=0, lt=Decimal("1e8"), max_digits=14, decimal_places=6)]
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    pricing_model: Literal["on_demand", "spot", "reserved"]
    term: str = Field(default="", max_length=20, description="commitment, when reserved")
    kind: Literal["list", "offer", "index"] = "list"
    observed_on: date
    valid_until: date | None = None
    source: QuoteSource | Annotated[str, Field(max_length=200, description="slug")]
    change_reason: str = Field(default="", max_length=2000)


ACCEPTED: Final[Mapping[str, Any]] = {
    "offering": "text of 1 to 200 characters without spaces around it",
    "accelerator_count": "a decimal above 0 and below 1,000,000 with at most 3 decimal places",
    "price_per_hour": "a decimal above 0 and below 100,000,000 with at most 6 decimal places",
    "country": "two capital letters (ISO 3166), or nothing",
    "currency": "three capital letters (ISO 4217)",
    "pricing_model": ["on_demand", "spot", "reserved"],
    "kind": ["list", "offer", "index"],
    "observed_on": "an ISO date such as 2025-01-31, not in the future",
    "valid_until": "an ISO date, not before observed_on",
    "source": "a slug, or an object with slug, or with url and title",
}


def read_quote(given: Any, place: str, faults: list[Fault]) -> QuotePosted | None:
    """One entry of a body, checked by itself; None with its faults added."""
    if not isinstance(given, dict):
        faults.append(Fault(place, "type", "the quote is no JSON object", "an object"))
        return None
    try:
        quote = QuotePosted.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        known = list(QuotePosted.model_fields)
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            faults.append(_fault(one["type"], one["loc"], one["msg"], place, known))
        return None
    before = len(faults)
    if quote.observed_on > timezone.now().date() + timedelta(days=1):  # it may be tomorrow somewhere
        detail = f"observed_on is {quote.observed_on}, which is still to come"
        faults.append(Fault(f"{place}/observed_on", "future", detail, ACCEPTED["observed_on"]))
    if quote.valid_until is not None and quote.valid_until < quote.observed_on:
        detail = "valid_until is before observed_on"
        faults.append(Fault(f"{place}/valid_until", "invalid", detail, ACCEPTED["valid_until"]))
    named = quote.source
    if isinstance(named, QuoteSource) and not named.slug and not (named.url and named.title):
        detail = f"source is not {ACCEPTED['source']}"
        faults.append(Fault(f"{place}/source", "incomplete", detail, ACCEPTED["source"]))
    return quote if len(faults) == before else None


def _fault(kind: str, location: tuple[int | str, ...], message: str, place: str, known: list[str]) -> Fault:
    # A union names its branch in the location ("source", "QuoteSource", "url"): no part of a pointer.
    path = [str(part) for part in location if part not in ("QuoteSource", "constrained-str", "str")]
    pointer = place + "".join("/" + part[:100].replace("~", "~0").replace("/", "~1") for part in path)
    name = path[0] if path else ""
    accepted = ACCEPTED.get(name, message)
    if kind == "missing":
        code = "source_required" if path == ["source"] else "required"
        return Fault(pointer, code, f"{path[-1]} is missing", accepted if name in ACCEPTED else "a value")
    if kind == "extra_forbidden":
        fields = list(QuoteSource.model_fields) if len(path) > 1 else known
        near = nearest(path[-1], fields, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return Fault(pointer, "unknown_field", f"a quote has no field {'.'.join(path)[:100]!r}{hint}", fields)
    code = "choice" if kind == "literal_error" else "invalid"
    return Fault(pointer, code, f"{'.'.join(path)}: {message[0].lower()}{message[1:]}", accepted)


def read_quotes(body: Any) -> tuple[list[QuotePosted], str]:
    """The quotes of a body and why they are posted. Raises Problem (400) with every fault."""
    entries = body if isinstance(body, list) else [body]
    if not 1 <= len(entries) <= MOST_QUOTES:
        accepted = f"1 to {MOST_QUOTES} quotes"
        raise invalid_body([Fault("", "batch_size", f"the body has {len(entries)} quotes", accepted)])
    faults: list[Fault] = []
    read = []
    for at, entry in enumerate(entries):
        quote = read_quote(entry, f"/{at}" if isinstance(body, list) else "", faults)
        if quote is not None:
            read.append(quote)
        if len(faults) >= MOST_FAULTS:
            break
    reasons = list(
        dict.fromkeys(quote.change_reason.strip() for quote in read if quote.change_reason.strip())
    )
    if not faults and len(reasons) > 1:
        at = next(at for at, quote in enumerate(read) if quote.change_reason.strip() == reasons[1])
        detail = "the quotes of one request are one change: they give two reasons"
        faults.append(Fault(f"/{at}/change_reason", "differs", detail, reasons[0]))
    if faults:
        raise invalid_body(faults[:MOST_FAULTS])
    return read, reasons[0] if reasons else ""


def resolved(quotes: list[QuotePosted], is_list: bool) -> list[NewQuote]:
    """The quotes with the rows they name. Raises Problem (400) with every name that is unknown."""
    providers = Provider.objects.in_bulk({quote.provider for quote in quotes}, field_name="slug")
    accelerators = Accelerator.objects.in_bulk({quote.accelerator for quote in quotes}, field_name="slug")
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    found: list[NewQuote] = []
    for at, quote in enumerate(quotes):
        place = f"/{at}" if is_list else ""
        provider, accelerator = providers.get(quote.provider), accelerators.get(quote.accelerator)
        if provider is None:
            faults.append(_unknown(place, "provider", quote.provider, Provider))
        if accelerator is None:
            faults.append(_unknown(place, "accelerator", quote.accelerator, Accelerator))
        named = {"slug": quote.source} if isinstance(quote.source, str) else quote.source.model_dump()
        token = json.dumps(named, sort_keys=True)
        if token not in sources:
            try:
                sources[token] = source_of(_complete(named))
            except Problem as problem:
                shown = "/source" if isinstance(quote.source, str) else "/source/slug"
                faults += [
                    Fault(place + shown, fault.code, fault.detail, fault.accepted) for fault in problem.faults
                ]
        if provider is None or accelerator is None or token not in sources:
            continue
        same = ("offering", "region", "country", "currency", "term", "kind", "pricing_model")
        found.append(
            NewQuote(
                provider_row=provider,
                accelerator_row=accelerator,
                source=sources[token],
                accelerator_count=quote.accelerator_count,
                price_per_hour=quote.price_per_hour,
                observed_on=quote.observed_on,
                valid_until=quote.valid_until,
                **{name: getattr(quote, name) for name in same},
            )
        )
    if faults:
        raise invalid_body(faults[:MOST_FAULTS])
    return found


def _complete(named: dict[str, Any]) -> dict[str, str]:
    return {name: str(named.get(name, "")).strip() for name in QuoteSource.model_fields}


def _unknown(place: str, name: str, slug: str, model: type[Provider] | type[Accelerator]) -> Fault:
    near = nearest(slug, model._default_manager.values_list("slug", flat=True))
    return Fault(f"{place}/{name}", "unknown", f"there is no {name} {slug[:100]!r}", near)


def rows_of(pks: list[int]) -> list[dict[str, Any]]:
    """The quotes as the API shows them, in this order."""
    columns = list(PRICE_QUOTES.columns)
    rows = PriceQuote.objects.filter(pk__in=pks).order_by()
    found = dict(pages.fetch(pages.annotated(rows, columns), columns))
    return pages.completed(PRICE_QUOTES, columns, [(pk, found[pk]) for pk in pks])


COMPONENTS["QuotePosted"], COMPONENTS["QuoteSource"] = (
    models_json_schema([(QuotePosted, "validation")], ref_template="#/components/schemas/{model}")[1][
        "$defs"
    ][name]
    for name in ("QuotePosted", "QuoteSource")
)
EXAMPLE: Final = {
    "provider": "example-cloud",
    "offering": "8 x nvidia-h100-sxm",
    "accelerator": "nvidia-h100-sxm",
    "accelerator_count": 8,
    "region": "us-east",
    "country": "US",
    "price_per_hour": "27.60",
    "pricing_model": "on_demand",
    "observed_on": "2025-01-31",
    "source": {"url": "https://example.com/prices", "title": "Price list"},
    "change_reason": "The price list of this week",
}


def body_schema() -> Schema:
    quote = {"$ref": "#/components/schemas/QuotePosted"}
    many = {"type": "array", "items": quote, "minItems": 1, "maxItems": MOST_QUOTES}
    return component("QuotesPosted", {"oneOf": [quote, many]})


ROW: Final = {"$ref": "#/components/schemas/PriceQuote"}
ANSWER: Final[Schema] = {"oneOf": [ROW, {"type": "array", "items": ROW}]}


@extend_schema_view(
    post=extend_schema(
        operation_id="add_price_quotes",
        summary="Add observed prices",
        tags=[PRICE_QUOTES.name],
        request={"application/json": body_schema()},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="Sent again within two days with the same body, the same answer and nothing "
                "written; with another body 422.",
            )
        ],
        responses={(201, "application/json"): ANSWER, (200, "application/json"): ANSWER},
        examples=[
            OpenApiExample("A price seen today", value=EXAMPLE, request_only=True),
            OpenApiExample(
                "Row",
                value=row_example(PRICE_QUOTES),
                response_only=True,
                status_codes=["200", "201"],
            ),
        ],
    )
)
class PriceQuoteListView(ListView):
    """Price quotes. `POST` appends one or a list, all or none: 201, or 200 where all were known already.

    A quote that does not fit to the others is kept, with the reason in `suspect`, and used by no estimate.
    """

    resource = PRICE_QUOTES
    permission_classes: Any = [MayWrite]
    write_scope = Scope.WRITE_PRICES
    write_permission = "catalog.add_pricequote"

    def get_renderers(self) -> list[Any]:
        """What was appended is answered in JSON alone."""
        request = getattr(self, "request", None)
        if request is not None and request.method == "POST":
            return [JsonRenderer()]
        return super().get_renderers()

    def post(self, request: Request) -> Response:
        without_parameters(request)
        body = request.data

        def write() -> Written:
            quotes, reason = read_quotes(body)
            if reason:
                pghistory.context(reason=reason)
            return added(request, quotes, isinstance(body, list))

        with by_api(request):
            written = once(request, write)
        response = Response(written.body, status=written.status)
        if written.location:
            response["Location"] = request.build_absolute_uri(written.location)
        if written.replayed:
            response["Idempotency-Replayed"] = "true"
        return response


def added(request: Request, quotes: list[QuotePosted], is_list: bool) -> Written:
    """Append the quotes; the answer shows them as they stand."""
    try:
        with transaction.atomic():
            done = add_quotes(resolved(quotes, is_list))
    except DataError:
        detail = "a price or a count is out of range"
        raise invalid_body([Fault("", "constraint", detail, "values above 0 and below 1e8")]) from None
    rows = rows_of(done.pks)
    status = 201 if done.new else 200
    if is_list:
        return Written(status, rows)
    return Written(status, rows[0], f"{request.path}/{done.pks[0]}")
