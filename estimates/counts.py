"""How many facts and estimates there are, exactly or as cheaply as can be."""

from __future__ import annotations

from typing import Final

from django.db import connection, models

from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    MeasuredValue,
    MeasurementRun,
    Offer,
    PriceQuote,
    Provider,
    PublishedClaim,
    Source,
    System,
    TokenPrice,
    Vendor,
    Workload,
)
from estimates.models import Calculation, Estimate

COUNTED: Final[dict[str, type[models.Model]]] = {
    "vendors": Vendor,
    "accelerators": Accelerator,
    "systems": System,
    "offers": Offer,
    "models": LanguageModel,
    "providers": Provider,
    "price_quotes": PriceQuote,
    "token_prices": TokenPrice,
    "workloads": Workload,
    "measurement_runs": MeasurementRun,
    "measured_values": MeasuredValue,
    "claims": PublishedClaim,
    "figures": Figure,
    "sources": Source,
    "calculations": Calculation,
    "estimates": Estimate,
}
#: Above it a table's rows are told as Postgres last estimated them.
COUNTED_EXACTLY: Final = 20_000


def exact_counts() -> dict[str, int]:
    """Rows of each kind."""
    return _count(list(COUNTED))


def cheap_counts() -> dict[str, int]:
    """Rows of each kind; of a large table what the last VACUUM or ANALYZE found. Two statements."""
    tables = {model._meta.db_table: name for name, model in COUNTED.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class "
            "WHERE oid = ANY(ARRAY(SELECT to_regclass(name) FROM unnest(%s::text[]) AS name))",
            [list(tables)],
        )
        guessed = {tables[table]: rows for table, rows in cursor.fetchall() if rows > COUNTED_EXACTLY}
    exact = _count([name for name in COUNTED if name not in guessed])
    return {name: guessed[name] if name in guessed else exact[name] for name in COUNTED}


def _count(names: list[str]) -> dict[str, int]:
    quote = connection.ops.quote_name
    columns = ", ".join(f"(SELECT count(*) FROM {quote(COUNTED[name]._meta.db_table)})" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}")
        row = cursor.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))
