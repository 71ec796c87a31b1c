"""Reads the query string of a list strictly: what is unknown or invalid is a 400, never ignored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf
from django.http import QueryDict
from rest_framework.request import Request

from config.rest.columns import Column, Parameter, Resource, Type
from config.rest.faults import Fault, invalid_parameters, nearest
from config.rest.lookups import LONGEST_VALUE, condition, filter_names

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 1000
LARGEST_OFFSET = 10_000_000
FIRST_CURSOR = "start"
FORMATS = ("json", "csv")
DETAIL_PARAMETERS = ("fields", "omit", "format")
LIST_PARAMETERS = (*DETAIL_PARAMETERS, "ordering", "limit", "offset")


@dataclass(slots=True)
class ListQuery:
    """A list request, understood: what to show, in which order, which part.

    Attributes:
        shown: columns of the answer, in the order of the table.
        filters: columns of the filters and their lookups.
        used: all columns that the query needs: shown, filtered or sorted by.
        conditions: filters; all must hold.
        parameters: values of the resource's own parameters.
        after: primary key behind which a cursor goes on; None without a cursor.
    """

    shown: list[Column]
    conditions: list[Q] = field(default_factory=list)
    filters: list[tuple[Column, str]] = field(default_factory=list)
    used: dict[str, Column] = field(default_factory=dict)
    ordering: list[tuple[Column, bool]] = field(default_factory=list)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    after: int | None = None

    def order_by(self) -> list[OrderBy]:
        """Order expressions with the unknown last, in both directions, and the primary key last of all."""
        expressions = []
        for column, descending in self.ordering:
            key: Any = NullIf(F(column.path), Value("")) if column.type is Type.TEXT else F(column.path)
            expressions.append(key.desc(nulls_last=True) if descending else key.asc(nulls_last=True))
        return [*expressions, F("pk").asc()]


def read_list(resource: Resource, given: QueryDict) -> ListQuery:
    """Understand a list's query string.

    Raises:
        Problem: 400 with every fault found.
    """
    faults: list[Fault] = []
    filters = filter_names(resource.columns)
    own = {parameter.name: parameter for parameter in resource.parameters}
    paging = (*LIST_PARAMETERS, "cursor") if resource.deep else LIST_PARAMETERS
    values = clean(given, [*paging, *own, *filters], faults)
    query = ListQuery(shown_columns(resource, values, faults))
    for name in values:
        if name in own:
            query.parameters[name] = _own(own[name], values[name], faults)
        elif name in filters:
            column, lookup = filters[name]
            query.used[column.name] = column
            query.filters.append((column, lookup))
            found = condition(name, column, lookup, values[name], faults)
            if found is not None:
                query.conditions.append(found)
    query.ordering = _ordering(resource, values, faults)
    query.limit = _whole(values, "limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT, faults)
    query.offset = _whole(values, "offset", 0, 0, LARGEST_OFFSET, faults)
    query.after = _cursor(values, faults) if resource.deep else None
    if faults:
        raise invalid_parameters(faults)
    if query.after is not None:
        query.ordering = []
    query.used |= {
        column.name: column for column in (*query.shown, *(column for column, _ in query.ordering))
    }
    return query


def clean(given: QueryDict, accepted: Iterable[str], faults: list[Fault]) -> dict[str, list[str]]:
    """The given parameters, less those that are unknown, too long, or hold a NUL, which are faults."""
    names = list(dict.fromkeys(accepted))
    values: dict[str, list[str]] = {}
    for name, entries in given.lists():
        if name not in names:
            near = nearest(name.split("__")[0], names, 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            faults.append(
                Fault(f"?{name[:100]}", "unknown_parameter", f"unknown parameter {name[:100]!r}{hint}", names)
            )
        elif any(
            len(entry) > LONGEST_VALUE and name not in ("fields", "omit", "ordering") for entry in entries
        ):
            faults.append(
                Fault(f"?{name}", "too_long", f"{name} is too long", f"at most {LONGEST_VALUE} characters")
            )
        elif any("\x00" in entry for entry in entries):
            faults.append(Fault(f"?{name}", "invalid", f"{name} holds a NUL character", "text"))
        else:
            values[name] = [str(entry) for entry in entries]
    return values


def without_parameters(request: Request) -> None:
    """Raises Problem (400) for a query string where it has no meaning."""
    faults: list[Fault] = []
    clean(request.query_params, (), faults)
    if faults:
        raise invalid_parameters(faults)


def shown_columns(resource: Resource, values: Mapping[str, list[str]], faults: list[Fault]) -> list[Column]:
    """The columns that `fields=` asks for, or the listed ones, less those of `omit=`."""
    names = [column.name for column in resource.columns]
    wanted = named(values, "fields", names, faults)
    omitted = named(values, "omit", names, faults) or []
    if wanted is None:
        wanted = [column.name for column in resource.columns if column.listed]
    by_name = resource.by_name
    return [by_name[name] for name in dict.fromkeys(wanted) if name not in omitted]


def named(
    values: Mapping[str, list[str]], parameter: str, names: list[str], faults: list[Fault]
) -> list[str] | None:
    """The names in a comma-separated, repeatable parameter; None where it is not given."""
    if parameter not in values:
        return None
    wanted = [name.strip() for entry in values[parameter] for name in entry.split(",")]
    for name in wanted:
        if name not in names:
            near = nearest(name, names, 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            faults.append(
                Fault(f"?{parameter}", "unknown_field", f"there is no field {name[:100]!r}{hint}", names)
            )
    return [name for name in wanted if name in names]


def _own(parameter: Parameter, values: list[str], faults: list[Fault]) -> list[str]:
    pointer = f"?{parameter.name}"
    if len(values) > 1 and not parameter.repeatable:
        faults.append(Fault(pointer, "repeated", f"{parameter.name} may be given once", "one value"))
    for value in values:
        if parameter.words and value not in parameter.words:
            accepted = list(parameter.words)
            detail = f"{parameter.name}={value[:60]!r} is none of {', '.join(accepted)}"
            faults.append(Fault(pointer, "choice", detail, accepted))
        elif not value:
            faults.append(Fault(pointer, "empty", f"{parameter.name} is empty", parameter.meaning))
    return values


def _ordering(
    resource: Resource, values: Mapping[str, list[str]], faults: list[Fault]
) -> list[tuple[Column, bool]]:
    sortable = {column.name: column for column in resource.columns if column.sortable}
    wanted = [name.strip() for entry in values.get("ordering", []) for name in entry.split(",")]
    ordering = []
    for name in wanted or resource.ordering:
        column = sortable.get(name.removeprefix("-"))
        if column is not None:
            ordering.append((column, name.startswith("-")))
            continue
        near = nearest(name.removeprefix("-"), sortable, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        detail = f"the list cannot be ordered by {name[:100]!r}{hint}"
        faults.append(Fault("?ordering", "unknown_field", detail, list(sortable)))
    return ordering


def _whole(
    values: Mapping[str, list[str]], name: str, default: int, least: int, most: int, faults: list[Fault]
) -> int:
    if name not in values:
        return default
    given = values[name]
    if len(given) == 1 and given[0].isascii() and given[0].isdecimal() and len(given[0]) < 12:
        number = int(given[0])
        if least <= number <= most:
            return number
    accepted = f"one whole number from {least} to {most}"
    faults.append(Fault(f"?{name}", "invalid", f"{name}={given[0][:60]!r} is not {accepted}", accepted))
    return default


def _cursor(values: Mapping[str, list[str]], faults: list[Fault]) -> int | None:
    if "cursor" not in values:
        return None
    given = values["cursor"]
    for other in ("offset", "ordering"):
        if other in values:
            faults.append(
                Fault(f"?{other}", "with_cursor", f"a cursor walks in its own order, without {other}", None)
            )
    if given == [FIRST_CURSOR]:
        return 0
    if len(given) == 1 and given[0].isascii() and given[0].isdecimal() and len(given[0]) < 19:
        return int(given[0])
    accepted = f"{FIRST_CURSOR}, or the cursor of a next link"
    faults.append(Fault("?cursor", "invalid", f"cursor={given[0][:60]!r} is not accepted", accepted))
    return None
