"""Pages of a resource that lies in memory as one array a column: the same filters and orders as on a table.

Unknown is an empty text or a NaN, as it is null in a table: no comparison holds for it, and it comes last.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from config.rest.columns import Resource, Row
from config.rest.pages import Page, completed
from config.rest.parameters import ListQuery

type Columns = Mapping[str, NDArray[Any]]
type Mask = NDArray[np.bool_]

COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "gte": np.greater_equal,
    "gt": np.greater,
    "lte": np.less_equal,
    "lt": np.less,
}


def run(resource: Resource, query: ListQuery, columns: Columns, among: Mask | None = None) -> Page:
    """The page that the query asks for, of the rows that `among` leaves; no query of a database."""
    chosen = np.ones(_length(columns), dtype=bool) if among is None else among.copy()
    for condition in query.conditions:
        chosen &= mask(condition, columns)
    order = ordered(np.flatnonzero(chosen), query, columns)
    start, end = query.offset, query.offset + query.limit
    shown = [column for column in query.shown if not column.attached]
    found: list[tuple[int, Row]] = [
        (
            int(position),
            {column.name: column.present(_plain(columns[column.path][position])) for column in shown},
        )
        for position in order[start:end]
    ]
    return Page(
        [column.name for column in query.shown],
        completed(resource, query.shown, found),
        len(order),
        {"offset": end} if end < len(order) else None,
        {"offset": max(0, start - query.limit)} if start else None,
    )


def mask(condition: Q, columns: Columns) -> Mask:
    """Which rows a condition of `config.rest.lookups` holds for."""
    parts = []
    for child in condition.children:
        if isinstance(child, Q):
            parts.append(mask(child, columns))
        else:
            name, value = child  # type: ignore[misc]  # a pair, where it is no expression
            parts.append(_compared(name, value, columns))
    join = np.logical_and if condition.connector == Q.AND else np.logical_or
    found: Mask = join.reduce(parts)
    return ~found if condition.negated else found


def _compared(name: str, value: Any, columns: Columns) -> Mask:
    path, _, lookup = name.rpartition("__") if "__" in name else (name, "", "exact")
    column = columns[path]
    match lookup:
        case "exact":
            return np.asarray(column == value, dtype=bool)
        case "in":
            return np.isin(column, np.array(value, dtype=column.dtype))
        case "isnull":
            return unknown(column) == value
        case "icontains":
            return np.array([value.lower() in text.lower() for text in column], dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.asarray(COMPARISONS[lookup](column, value), dtype=bool)


def unknown(column: NDArray[Any]) -> Mask:
    return np.asarray(column == "", dtype=bool) if column.dtype == object else np.isnan(column)


def ordered(positions: NDArray[np.intp], query: ListQuery, columns: Columns) -> NDArray[np.intp]:
    """The positions in the order asked for, the unknown last in both directions, their own order last."""
    for column, descending in reversed(query.ordering):
        values = columns[column.path][positions]
        none = unknown(values)
        known = np.flatnonzero(~none)
        if descending:  # equals keep their order: sorted from behind, then turned
            places = known[::-1][np.argsort(values[known[::-1]], kind="stable")][::-1]
        else:
            places = known[np.argsort(values[known], kind="stable")]
        positions = positions[np.concatenate([places, np.flatnonzero(none)])]
    return positions


def _plain(value: Any) -> Any:
    if isinstance(value, np.floating):
        return None if np.isnan(value) else float(value)
    return value


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))
