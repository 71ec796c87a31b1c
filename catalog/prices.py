"""The price used for an offer: which of the thousands of quotes stands for it, and what is said with it.

Of each provider, offering and region the newest quote on the asked day that is not suspect; among those
within the filter the cheapest, quotes for exactly the offer's count first, list prices and marketplace
offers before indices. Where no quote has the count, the nearest smaller one is scaled (sixteen are two nodes
of eight, not sixteen single cards) and says so (`scaled_from`). A quote older than 180 days is stale, not
hidden. All in one statement and in decimals.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Case, DecimalField, F, FloatField, Func, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.utils import timezone

from catalog.models import PriceQuote
from catalog.models.prices import PricingModel

STALE_AFTER_DAYS: Final = 180
#: Prices are compared in one currency; no rate of exchange is kept, so others are not converted.
CURRENCY: Final = "USD"


@dataclass(frozen=True, slots=True)
class PriceFilter:
    """Which quotes count. Empty means any; `as_of` None means today; `max_age_days` drops older ones.

    `recorded_before` leaves only quotes of a smaller id: those that were known before that one.
    """

    pricing_model: str = PricingModel.ON_DEMAND
    providers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    term: str | None = None
    as_of: date | None = None
    max_age_days: int | None = None
    recorded_before: int | None = None

    @property
    def day(self) -> date:
        return self.as_of or timezone.now().date()


@dataclass(frozen=True, slots=True)
class QuoteUsed:
    """The quote that stands for an offer and its price for the whole offer."""

    quote_id: int
    key: str
    provider: str
    provider_name: str
    offering: str
    region: str
    country: str
    pricing_model: str
    term: str
    kind: str
    source: str
    source_url: str
    usd_per_hour: Decimal
    """For the whole offer."""
    quoted_usd_per_hour: Decimal
    """As quoted, for `quoted_count` accelerators."""
    quoted_count: Decimal
    scaled_from: Decimal | None
    """Accelerators of the quote where it is not the offer's count; None for a quote of exactly the count."""
    observed_on: date | None
    age_days: int | None
    stale: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values for an API answer; money as decimal text."""
        return {
            "quote": self.quote_id,
            "key": self.key,
            "provider": self.provider,
            "provider_name": self.provider_name,
            "offering": self.offering,
            "region": self.region,
            "country": self.country,
            "pricing_model": self.pricing_model,
            "term": self.term,
            "kind": self.kind,
            "source": self.source,
            "source_url": self.source_url,
            "usd_per_hour": plain(self.usd_per_hour),
            "quoted_usd_per_hour": plain(self.quoted_usd_per_hour),
            "quoted_count": plain(self.quoted_count),
            "scaled_from": plain(self.scaled_from) if self.scaled_from is not None else None,
            "observed_on": self.observed_on.isoformat() if self.observed_on else None,
            "age_days": self.age_days,
            "stale": self.stale,
        }


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One quote of an accelerator's history."""

    observed_on: date | None
    provider: str
    offering: str
    region: str
    accelerator_count: Decimal
    pricing_model: str
    kind: str
    usd_per_hour: Decimal
    usd_per_accelerator_hour: Decimal
    suspect: str
    source: str


# ---- The statement -------------------------------------------------------------------------------------

# The newest quote is the greatest (day, id): as one bigint it comes from a hash aggregate, where DISTINCT ON
# would sort every quote by four texts. A quote without a day is older than any other.
_CHOOSING: Final = """
newest AS (
    SELECT max((COALESCE(observed_on - DATE '1970-01-01', 0)::bigint << 40) | id)
           & ((1::bigint << 40) - 1) AS id
    FROM catalog_pricequote
    WHERE {conditions}
    GROUP BY provider_id, accelerator_id, accelerator_count, pricing_model, offering, region, term
), current AS (
    SELECT quote.* FROM catalog_pricequote quote JOIN newest USING (id)
    WHERE (quote.valid_until IS NULL OR quote.valid_until >= %(day)s) {age_condition}
), cheapest AS (
    SELECT DISTINCT ON (accelerator_id, accelerator_count, pricing_model COLLATE "C", kind = 'index') *
    FROM current
    ORDER BY accelerator_id, accelerator_count, pricing_model COLLATE "C", kind = 'index',
             price_per_hour, observed_on DESC NULLS LAST, id
), chosen AS (
    SELECT DISTINCT ON (offer.id, cheapest.pricing_model COLLATE "C")
        offer.id AS offer_id,
        cheapest.*,
        CASE WHEN cheapest.accelerator_count = offer.count THEN cheapest.price_per_hour
             ELSE round(cheapest.price_per_hour * offer.count / cheapest.accelerator_count, 6)
        END AS usd_per_hour,
        NULLIF(cheapest.accelerator_count, offer.count) AS scaled_from
    FROM catalog_offer offer JOIN cheapest ON cheapest.accelerator_id = offer.accelerator_id {offer_condition}
    ORDER BY
        offer.id, cheapest.pricing_model COLLATE "C",
        cheapest.accelerator_count <> offer.count,       -- exactly the count first
        cheapest.kind = 'index',                         -- a price that somebody asks before an aggregate
        cheapest.accelerator_count < 1,                  -- a whole accelerator before a fraction
        cheapest.accelerator_count > offer.count,        -- two nodes of eight before a slice of a larger one,
        abs(cheapest.accelerator_count - offer.count)    -- and before sixteen single cards
)
"""
_CHOSEN: Final = f"""
SELECT * FROM (WITH {_CHOOSING}
SELECT chosen.offer_id, chosen.id AS quote_id, chosen.key, provider.slug AS provider,
       provider.name AS provider_name, chosen.offering, chosen.region, chosen.country, chosen.pricing_model,
       chosen.term, chosen.kind, source.slug AS source, source.url AS source_url, chosen.usd_per_hour,
       chosen.price_per_hour AS quoted_usd_per_hour, chosen.accelerator_count AS quoted_count,
       chosen.scaled_from, chosen.observed_on
FROM chosen
JOIN catalog_provider provider ON provider.id = chosen.provider_id
JOIN catalog_source source ON source.id = chosen.source_id) AS used
"""
_CONDITIONS: Final = (
    "suspect = ''",
    "currency = %(currency)s",
    "pricing_model = ANY(%(pricing_models)s)",
    "(observed_on <= %(day)s OR observed_on IS NULL)",
)


def chosen_statement() -> str:
    """The expressions that end in `chosen`, for a WITH of another statement: every basis, no further filter.

    Parameters: currency, pricing_models, day.
    """
    return _CHOOSING.format(conditions=" AND ".join(_CONDITIONS), age_condition="", offer_condition="")


def offer_prices(
    criteria: PriceFilter | None = None, offers: Collection[int] | None = None
) -> dict[int, QuoteUsed]:
    """The quote used by offer id: one statement; an offer without a quote is absent.

    `offers` restricts to those ids, None means all. Offers of one accelerator and count with different links
    share their quotes, since quotes do not state a link.
    """
    wanted = criteria or PriceFilter()
    return {
        offer: by_model[wanted.pricing_model]
        for offer, by_model in _chosen(wanted, [wanted.pricing_model], offers).items()
    }


def offer_prices_by_basis(
    criteria: PriceFilter | None = None, offers: Collection[int] | None = None
) -> dict[int, dict[str, QuoteUsed]]:
    """The quote used by offer id and pricing model; `criteria.pricing_model` is not read."""
    return _chosen(criteria or PriceFilter(), list(PricingModel.values), offers)


def _chosen(
    wanted: PriceFilter, pricing_models: list[str], offers: Collection[int] | None
) -> dict[int, dict[str, QuoteUsed]]:
    day = wanted.day
    conditions = list(_CONDITIONS)
    parameters: dict[str, Any] = {"day": day, "currency": CURRENCY, "pricing_models": pricing_models}
    for column, values in (("region", wanted.regions), ("country", wanted.countries), ("kind", wanted.kinds)):
        if values:
            conditions.append(f"{column} = ANY(%({column})s)")
            parameters[column] = list(values)
    if wanted.providers:
        conditions.append("provider_id IN (SELECT id FROM catalog_provider WHERE slug = ANY(%(providers)s))")
        parameters["providers"] = list(wanted.providers)
    if wanted.term is not None:
        conditions.append("term = %(term)s")
        parameters["term"] = wanted.term
    age_condition = offer_condition = ""
    if wanted.recorded_before is not None:
        conditions.append("id < %(recorded_before)s")
        parameters["recorded_before"] = wanted.recorded_before
    if wanted.max_age_days is not None:
        age_condition = "AND quote.observed_on >= %(oldest)s"
        parameters["oldest"] = day - timedelta(days=wanted.max_age_days)
    if offers is not None:
        offer_condition = "WHERE offer.id = ANY(%(offers)s)"
        parameters["offers"] = list(offers)
    statement = _CHOSEN.format(
        conditions=" AND ".join(conditions), age_condition=age_condition, offer_condition=offer_condition
    )
    found: dict[int, dict[str, QuoteUsed]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            cells = dict(zip(names, row, strict=True))
            offer = cells.pop("offer_id")
            age = (day - cells["observed_on"]).days if cells["observed_on"] else None
            stale = age is None or age > STALE_AFTER_DAYS
            used = QuoteUsed(**cells, age_days=age, stale=stale)
            found.setdefault(offer, {})[used.pricing_model] = used
    return found


# ---- In querysets --------------------------------------------------------------------------------------


def hourly_table(prices: Mapping[int, QuoteUsed]) -> str:
    """The hourly prices as the JSON that `hourly_price` looks offers up in."""
    return orjson.dumps({str(pk): f"{used.usd_per_hour:f}" for pk, used in prices.items()}).decode()


def hourly_price(prices: Mapping[int, QuoteUsed] | str, offer: str = "offer_id") -> Combinable:
    """USD an hour of a row's offer as an expression to annotate, filter and order by; null without a quote.

    `Estimate.objects.annotate(usd_per_hour=hourly_price(prices))` prices a list in the statement that reads
    it: the chosen prices travel as one JSON constant (`hourly_table`, or made of the quotes here), looked up
    by the offer's id.
    """
    table = prices if isinstance(prices, str) else hourly_table(prices)
    return Cast(
        Func(
            Value(table, output_field=TextField()),
            Cast(F(offer), TextField()),
            template="(%(expressions)s)",
            arg_joiner="::jsonb ->> ",
            output_field=TextField(),
        ),
        DecimalField(max_digits=20, decimal_places=6),
    )


def usd_per_mtok(hourly: Combinable | str, tokens_per_second: str = "throughput_tok_s") -> Combinable:
    """USD per million tokens: hourly price / (tokens a second x 3,600 s) x 1e6; null where either is."""
    return Case(
        When(
            **{f"{tokens_per_second}__gt": 0},
            then=Cast(F(hourly) if isinstance(hourly, str) else hourly, FloatField())
            / F(tokens_per_second)
            / Value(0.0036, output_field=FloatField()),
        ),
        output_field=FloatField(),
    )


def cost_per_mtok(usd_per_hour: Decimal, tokens_per_second: float) -> Decimal:
    """USD per million tokens of one offer; raises ValueError unless tokens come at a positive finite rate."""
    rate = Decimal(repr(float(tokens_per_second)))
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"tokens per second must be finite and above 0, got {tokens_per_second!r}")
    return usd_per_hour * 1_000_000 / (rate * 3600)


# ---- History -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which quotes of an accelerator's history; empty means any."""

    pricing_model: str = ""
    provider: str = ""
    region: str = ""
    count: Decimal | None = None
    since: date | None = None
    until: date | None = None
    with_suspects: bool = False


def price_history(accelerator: str, criteria: HistoryFilter | None = None) -> list[PricePoint]:
    """Every quote of an accelerator (slug), oldest first; suspects only when asked for."""
    wanted = criteria or HistoryFilter()
    quotes = PriceQuote.objects.filter(accelerator__slug=accelerator, currency=CURRENCY)
    for lookup, value in (
        ("pricing_model", wanted.pricing_model),
        ("provider__slug", wanted.provider),
        ("region", wanted.region),
        ("accelerator_count", wanted.count),
        ("observed_on__gte", wanted.since),
        ("observed_on__lte", wanted.until),
    ):
        if value:
            quotes = quotes.filter(**{lookup: value})
    if not wanted.with_suspects:
        quotes = quotes.filter(suspect="")
    rows = quotes.order_by(
        F("observed_on").asc(nulls_first=True), "provider__slug", "offering", "region", "pk"
    )
    return [
        PricePoint(day, provider, offering, region, count, model, kind, price, price / count, suspect, source)
        for day, provider, offering, region, count, model, kind, price, suspect, source in rows.values_list(
            "observed_on",
            "provider__slug",
            "offering",
            "region",
            "accelerator_count",
            "pricing_model",
            "kind",
            "price_per_hour",
            "suspect",
            "source__slug",
        )
    ]


def plain(amount: Decimal) -> str:
    """A decimal without exponent or trailing zeros: 12.290000 is 12.29."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
