"""Prices as observed: hours of hardware, hosted tokens, and what hardware costs to buy."""

from datetime import date
from typing import Any

from django.db.models import DecimalField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.expressions import Combinable

from catalog.api.references import ACCELERATOR, MODEL, PROVIDER, SOURCE
from catalog.models import PriceQuote, PurchasePrice, TokenPrice
from catalog.models.prices import PricingModel, QuoteKind
from config.rest.columns import Parameter, Resource, choice, integer, money, slug, text, time
from config.rest.columns import boolean as boolean_column
from config.rest.columns import date as date_column
from config.rest.faults import Fault, invalid_parameters


def parse_date(name: str, value: str) -> date:
    """An ISO date out of a parameter; 400 otherwise."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        accepted = "a date such as 2025-01-31"
        raise invalid_parameters(
            [Fault(f"?{name}", "invalid", f"{name}={value[:60]!r} is not {accepted}", accepted)]
        ) from None


def _as_of(rows: QuerySet[Any], values: list[str]) -> QuerySet[Any]:
    day = parse_date("as_of", values[0])
    return rows.filter(observed_on__lte=day).filter(Q(valid_until=None) | Q(valid_until__gte=day))


def _per_accelerator() -> Combinable:
    return ExpressionWrapper(
        F("price_per_hour") / F("accelerator_count"), DecimalField(max_digits=20, decimal_places=6)
    )


PRICE_QUOTES = Resource(
    name="price-quotes",
    noun="price quote",
    meaning="What a provider asked for an hour of hardware, when seen. A new price is a new row.",
    rows=PriceQuote.objects.all,
    key="id",
    ordering=("-observed_on", "id"),
    deep=True,
    parameters=(
        Parameter(
            "as_of", "only quotes seen by that day and not expired on it", _as_of, example="2025-06-30"
        ),
    ),
    columns=(
        integer("id", source="pk", example=1701),
        slug("provider", source="provider__slug", reference=PROVIDER, example="aws"),
        text("offering", nullable=False, example="p5.48xlarge"),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR),
        money("accelerator_count", "may be a part of one", nullable=False, example="8"),
        text("region", example="us-east-1"),
        text("country", "ISO 3166 alpha-2", example="US"),
        money("price_per_hour", "of the whole offering, in the currency", nullable=False, example="55.04"),
        money("price_per_accelerator_hour", source=_per_accelerator, nullable=False, example="6.88"),
        text("currency", nullable=False, example="USD"),
        choice("pricing_model", PricingModel),
        text("term", "commitment, when reserved"),
        choice("kind", QuoteKind),
        date_column("observed_on", nullable=True),
        date_column("valid_until", nullable=True),
        slug("source", source="source__slug", reference=SOURCE),
        text("source_url", source="source__url"),
        text("suspect", "why the quote is not used"),
        time("created_at"),
    ),
    example_query="accelerator=nvidia-h100-sxm&pricing_model=on_demand&country=US&ordering=price_per_accelerator_hour",
)

TOKEN_PRICES = Resource(
    name="token-prices",
    noun="token price",
    meaning="What a hosted endpoint asked per million tokens, when seen.",
    rows=TokenPrice.objects.all,
    key="id",
    ordering=("provider", "model_name", "id"),
    deep=True,
    columns=(
        integer("id", source="pk", example=42),
        slug("provider", source="provider__slug", reference=PROVIDER, example="together-ai"),
        text("model_name", "as the provider prints it", nullable=False),
        slug(
            "model",
            source="language_model__slug",
            reference=MODEL,
            nullable=True,
            example="llama-3.1-70b-instruct",
        ),
        boolean_column("open_weight", nullable=True),
        money("input_usd_per_mtok", example="0.88"),
        money("output_usd_per_mtok", example="0.88"),
        money("cached_input_usd_per_mtok", example="0.22"),
        text("currency", nullable=False, example="USD"),
        text("observed_on", "ISO date, as exact as known", nullable=False, example="2025-01"),
        date_column("effective_from", nullable=True),
        text("suspect", "why the price is not used"),
        slug("source", source="source__slug", reference=SOURCE),
        text("source_url", source="source__url"),
        time("created_at"),
    ),
    example_query="model=llama-3.1-70b-instruct&ordering=output_usd_per_mtok",
)

PURCHASE_PRICES = Resource(
    name="purchase-prices",
    noun="purchase price",
    meaning="What a part or machine costs to buy.",
    rows=PurchasePrice.objects.all,
    key="id",
    ordering=("hardware_name", "id"),
    columns=(
        integer("id", source="pk", example=7),
        text("hardware_name", "as printed", nullable=False, example="H100 SXM 80GB"),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR, nullable=True),
        money("price", nullable=False, example="25000"),
        text("currency", nullable=False, example="USD"),
        text("basis"),
        integer("year", nullable=True, example=2024),
        slug("source", source="source__slug", reference=SOURCE),
        text("source_url", source="source__url"),
        time("created_at"),
    ),
    example_query="ordering=-price",
)
