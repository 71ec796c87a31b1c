"""One page of the ranked estimates in two statements: which rows in which order, then all that they show.

The ORM writes the statements, and their text is kept; what a request brings goes in as parameters. Quotes are
kept with their JSON under the marks of the tables that they are chosen from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Count, Exists, OuterRef, QuerySet, Window
from django.db.models.expressions import RawSQL

from catalog.marks import Marks
from catalog.models import System
from catalog.prices import PriceFilter, QuoteUsed, hourly_table, offer_prices_by_basis
from config.rest import pages
from config.rest.columns import Column, Resource, Row, presenter
from config.rest.kept import Kept
from config.rest.lookups import EXACT
from config.rest.parameters import ListQuery
from estimates.cost import token_cost_texts, with_costs
from estimates.from_catalog import read_workloads
from estimates.models import Calculation, Estimate
from estimates.staleness import is_stale

#: Tables that the prices of offers are chosen from, and all that the list rests on.
PRICE_KINDS: Final = ("catalog_offer", "catalog_pricequote", "catalog_provider", "catalog_source")
KINDS: Final = (
    *PRICE_KINDS,
    "catalog_accelerator",
    "catalog_languagemodel",
    "catalog_modelalias",
    "catalog_system",
    "catalog_vendor",
    "catalog_workload",
    "estimates_calculation",
    "estimates_estimate",
)
#: Stand in a kept statement for what a request brings: no parameter of a request holds a NUL.
TABLE, PKS, DIGEST = "\0prices", "\0pks", "\0digest"


@dataclass(frozen=True, slots=True)
class Prices:
    """The quotes used: by offer and pricing model, and which pricing model ranks."""

    by_offer: dict[int, dict[str, QuoteUsed]]
    pricing_model: str
    table: str = ""
    """What `with_costs` looks hourly prices up in: every offer's on the pricing model that ranks."""
    _fragments: dict[tuple[int, str], orjson.Fragment] = field(default_factory=dict)

    @property
    def ranking(self) -> dict[int, QuoteUsed]:
        return ranking(self.by_offer, self.pricing_model)

    def fragment(self, offer: int, basis: str) -> orjson.Fragment:
        """The quote as the API shows it, as JSON."""
        found = self._fragments.get((offer, basis))
        if found is None:
            found = orjson.Fragment(orjson.dumps(shown(self.by_offer[offer][basis])))
            self._fragments[offer, basis] = found
        return found


def ranking(by_offer: dict[int, dict[str, QuoteUsed]], pricing_model: str) -> dict[int, QuoteUsed]:
    """The quotes on one pricing model, by offer."""
    return {offer: quotes[pricing_model] for offer, quotes in by_offer.items() if pricing_model in quotes}


def shown(quote: QuoteUsed) -> dict[str, Any]:
    """The quote as the API shows it: unknown text is null."""
    return {name: None if value == "" else value for name, value in quote.as_json().items()}


def chosen_prices(criteria: PriceFilter) -> Prices:
    """The quotes that the criteria choose, read now."""
    by_offer = offer_prices_by_basis(criteria)
    table = hourly_table(ranking(by_offer, criteria.pricing_model))
    return Prices(by_offer, criteria.pricing_model, table)


# ---- What a process keeps ------------------------------------------------------------------------------


@dataclass(slots=True)
class State:
    """What is known of the state that the marks name; `keep` once it is certain that all was read from it."""

    marks: Marks
    _read: list[tuple[Kept[Any, Any], Any, Any]] = field(default_factory=list)

    def prices(self, criteria: PriceFilter) -> Prices:
        """The quotes that the criteria choose; their day is to be given."""
        key = (criteria, *(self.marks.get(kind) for kind in PRICE_KINDS))
        return self._of(_PRICES, key, lambda: chosen_prices(criteria))

    def workloads_digest(self) -> str:
        return self._of(_DIGESTS, self.marks.get("catalog_workload"), lambda: read_workloads().digest)

    def keep(self) -> None:
        """Let later requests that find the same marks use what this one has read."""
        for kept, key, value in self._read:
            kept.put(key, value)

    def _of[V](self, kept: Kept[Any, V], key: Any, read: Callable[[], V]) -> V:
        found = kept.get(key)
        if found is None:
            found = read()
            self._read.append((kept, key, found))
        return found


_PRICES: Kept[Any, Prices] = Kept(16)
_DIGESTS: Kept[Any, str] = Kept(2)
_STATEMENTS: Kept[Any, tuple[str, tuple[Any, ...]]] = Kept(2048)  # of the same few texts, parameters apart


# ---- The page ------------------------------------------------------------------------------------------


def page(resource: Resource, query: ListQuery, kind: str, state: State, prices: Prices) -> pages.Page:
    """The rows that the query asks for, with everything they show.

    `resource.rows` is annotated by `with_costs(..., TABLE)`; `kind` names what else tells it from others.
    """
    start, end = query.offset, query.offset + query.limit
    # Of one model it is cheap to count in the statement that ranks: it has read every row anyway.
    counted = any(column.name == "model" and lookup == EXACT for column, lookup in query.filters)
    key = (
        kind,
        tuple(query.conditions),
        tuple((name, tuple(values)) for name, values in query.parameters.items()),
        tuple((column.name, descending) for column, descending in query.ordering),
        (start, end, counted),
    )
    kept = _STATEMENTS.get(key)
    if kept is None:
        rows = pages.matching(resource, query).order_by(*query.order_by())
        names = ["pk", "offer_id"]
        if counted:
            rows, names = rows.annotate(of_all=Window(Count("*"))), [*names, "of_all"]
        kept = written(rows.values_list(*names)[start:end])
        _STATEMENTS.put(key, kept)
    found = run(kept, {TABLE: prices.table})
    if (found and len(found) < query.limit) or (not found and start == 0):
        count = start + len(found)
    elif found and counted:
        count = found[0][2]
    else:
        count = read_count(resource, query, prices)
    following = {"offset": end} if end < count else None
    preceding = {"offset": max(0, start - query.limit)} if start else None
    names = [column.name for column in query.shown]
    rows_shown = details(query.shown, found, state, prices)
    return pages.Page(names, rows_shown, count, following, preceding)


def walk(resource: Resource, query: ListQuery, state: State, prices: Prices) -> pages.Page:
    """The rows behind the cursor, in the order of their key."""
    rows = pages.matching(resource, query).filter(pk__gt=query.after).order_by("pk")
    found = run(written(rows.values_list("pk", "offer_id")[: query.limit + 1]), {TABLE: prices.table})
    more, found = len(found) > query.limit, found[: query.limit]
    following = {"cursor": found[-1][0]} if more else None
    names = [column.name for column in query.shown]
    return pages.Page(names, details(query.shown, found, state, prices), None, following, None)


def read_count(resource: Resource, query: ListQuery, prices: Prices) -> int:
    """How many rows match, where the page does not tell."""
    text, parameters = written(pages.matching(resource, query).order_by().values_list("pk"))
    if not text:
        return 0
    found = run((f"SELECT count(*) FROM ({text}) AS matching", parameters), {TABLE: prices.table})
    return int(found[0][0])


def written(rows: QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement that a queryset runs, and its parameters; of one that cannot match, no statement."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return "", ()


def run(statement: tuple[str, tuple[Any, ...]], given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a kept statement, with `given` in the places that stand for it."""
    text, parameters = statement
    if not text:
        return []
    filled = [given.get(value, value) if isinstance(value, str) else value for value in parameters]
    with connection.cursor() as cursor:
        cursor.execute(text, filled)
        return cursor.fetchall()  # type: ignore[no-any-return]


def details(columns: list[Column], found: list[tuple[Any, ...]], state: State, prices: Prices) -> list[Row]:
    """The rows of these (primary key, offer, ...) in their order."""
    if not found:
        return []
    table = hourly_table(
        ranking({offer: prices.by_offer.get(offer, {}) for _, offer, *_ in found}, prices.pricing_model)
    )
    own = tuple(column.name for column in columns if not column.attached)
    statement, show = wide(own)
    given = {TABLE: table, PKS: [row[0] for row in found], DIGEST: state.workloads_digest()}
    by_pk = {values[0]: values for values in run(statement, given)}
    attached = {column.name for column in columns if column.attached}
    rows = []
    for pk, offer, *_ in found:
        if pk not in by_pk:
            continue  # gone since; the marks tell, and the answer is not taken for this state's
        _, isl, osl, throughput, systems, stale, *values = by_pk[pk]
        row = {
            name: value if present is None else present(value)
            for (name, present), value in zip(show, values, strict=True)
        }
        if attached:
            quotes = prices.by_offer.get(offer, {})
            row["systems"] = systems
            row["quote"] = (
                prices.fragment(offer, prices.pricing_model) if prices.pricing_model in quotes else None
            )
            if "costs" in attached:
                row["costs"] = {
                    basis: cost(quotes[basis], prices.fragment(offer, basis), throughput, isl, osl)
                    for basis in sorted(quotes)
                }
            row["stale"] = stale
            row["explain"] = f"/api/v1/estimates/{pk}/explain"
        rows.append({column.name: row[column.name] for column in columns})
    return rows


@lru_cache(maxsize=64)
def wide(
    names: tuple[str, ...],
) -> tuple[tuple[str, tuple[Any, ...]], list[tuple[str, Callable[[Any], Any] | None]]]:
    """The statement that reads these columns of rows given by primary key, and how each is presented."""
    from estimates.api.estimates import ESTIMATES

    columns = [ESTIMATES.column(name) for name in names]
    systems = System.objects.filter(offer=OuterRef("offer")).order_by("name").values("name")
    stale = Calculation.objects.filter(is_stale(DIGEST), pk=OuterRef("calculation"))
    rows = (
        with_costs(Estimate.objects.order_by(), TABLE)
        .filter(RawSQL("estimates_estimate.id = ANY(%s)", (PKS,), BooleanField()))
        .annotate(page_systems=ArraySubquery(systems), page_stale=Exists(stale))
    )
    context = ("workload__isl", "workload__osl", "throughput_tok_s", "page_systems", "page_stale")
    statement = written(rows.values_list("pk", *context, *(column.path for column in columns)))
    return statement, [(column.name, presenter(column)) for column in columns]


def cost(
    quote: QuoteUsed, fragment: orjson.Fragment, throughput: float | None, isl: float, osl: float
) -> dict[str, Any]:
    """One price basis: what an hour and a million tokens cost, and the quote."""
    costs: dict[str, Any] = {"usd_per_hour": f"{quote.usd_per_hour:f}"}
    if throughput:
        costs = token_cost_texts(quote.usd_per_hour, throughput, isl, osl)
    return {**costs, "quote": fragment}
