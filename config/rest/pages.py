"""One page of a resource: the query that a request asks for, run, with its count and its neighbours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from config.rest.columns import Column, Resource, Row
from config.rest.parameters import ListQuery


@dataclass(slots=True)
class Page:
    """Rows as the API shows them.

    Attributes:
        columns: names, in order.
        count: rows that match; None with a cursor, which does not count them.
        following: query parameters of the next page, `preceding` of the one before; None where there is none.
    """

    columns: list[str]
    rows: list[Row]
    count: int | None
    following: dict[str, int] | None
    preceding: dict[str, int] | None


def matching(resource: Resource, query: ListQuery) -> QuerySet[Any]:
    """The rows that the filters leave, annotated with every computed column in use, unordered."""
    rows = annotated(resource.rows().order_by(), query.used.values())
    for name, values in query.parameters.items():
        apply = next(parameter.apply for parameter in resource.parameters if parameter.name == name)
        if apply is not None:
            rows = apply(rows, values)
    return rows.filter(*query.conditions) if query.conditions else rows


def run(resource: Resource, query: ListQuery) -> Page:
    """Fetch the page: one query for the rows, and one for the count where the rows do not tell it."""
    rows = matching(resource, query)
    start, end = query.offset, query.offset + query.limit
    if query.after is not None:
        found = fetch(rows.filter(pk__gt=query.after).order_by("pk")[: query.limit + 1], query.shown)
        more = len(found) > query.limit
        found = found[: query.limit]
        following = {"cursor": found[-1][0]} if more else None
        return Page(_names(query), completed(resource, query.shown, found), None, following, None)
    found = fetch(rows.order_by(*query.order_by())[start:end], query.shown)
    if (found and len(found) < query.limit) or (not found and start == 0):
        count = start + len(found)
    else:
        count = rows.count()
    following = {"offset": end} if end < count else None
    preceding = {"offset": max(0, start - query.limit)} if start else None
    return Page(_names(query), completed(resource, query.shown, found), count, following, preceding)


def annotated(rows: QuerySet[Any], columns: Iterable[Column]) -> QuerySet[Any]:
    """The queryset with the expression of every computed column among these."""
    annotations: dict[str, Any] = {}
    for column in columns:
        annotations |= column.annotation()
    return rows.annotate(**annotations) if annotations else rows


def fetch(rows: QuerySet[Any], columns: list[Column]) -> list[tuple[int, Row]]:
    """(primary key, row) of each row of an annotated queryset, read without making model instances."""
    columns = [column for column in columns if not column.attached]
    names = [column.name for column in columns]
    presenters = [column.present for column in columns]
    return [
        (
            values[0],
            {name: show(value) for name, show, value in zip(names, presenters, values[1:], strict=True)},
        )
        for values in rows.values_list("pk", *(column.path for column in columns))
    ]


def completed(resource: Resource, shown: list[Column], found: list[tuple[int, Row]]) -> list[Row]:
    """The rows with their attached columns, everything in the order asked for."""
    rows = [row for _, row in found]
    wanted = {column.name for column in shown if column.attached}
    if not wanted or resource.attach is None:
        return rows
    resource.attach([pk for pk, _ in found], rows, wanted)
    return [{column.name: row[column.name] for column in shown} for row in rows]


def _names(query: ListQuery) -> list[str]:
    return [column.name for column in query.shown]
