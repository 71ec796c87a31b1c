"""Filters generated from columns: `memory_gb__gte=80`, `vendor=nvidia&vendor=amd`, `name__ic=h100`."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q

from config.rest.columns import Column, Reference, Type
from config.rest.faults import Fault, nearest

EXACT, NOT, CONTAINS, IS_NULL = "", "n", "ic", "isnull"
COMPARISONS = ("gte", "gt", "lte", "lt")
LOOKUPS: dict[Type, tuple[str, ...]] = {
    Type.TEXT: (EXACT, NOT, CONTAINS),
    Type.SLUG: (EXACT, NOT, CONTAINS),
    Type.CHOICE: (EXACT, NOT),
    Type.INTEGER: (EXACT, NOT, *COMPARISONS),
    Type.NUMBER: (EXACT, NOT, *COMPARISONS),
    Type.MONEY: (EXACT, NOT, *COMPARISONS),
    Type.BOOLEAN: (EXACT,),
    Type.DATE: (EXACT, NOT, *COMPARISONS),
    Type.TIME: COMPARISONS,
    Type.JSON: (),
}
MEANINGS = {
    EXACT: "equals; repeat for or",
    NOT: "is none of",
    CONTAINS: "contains, letter case ignored; repeat for or",
    IS_NULL: "is unknown (true) or known (false)",
    "gte": "at least",
    "gt": "above",
    "lte": "at most",
    "lt": "below",
}
LARGEST_INTEGER = 2**63 - 1
LARGEST_NUMBER = 1e15
LONGEST_VALUE = 300
MOST_VALUES = 200
TRUE_WORDS, FALSE_WORDS = ("true", "1"), ("false", "0")


def lookups(column: Column) -> tuple[str, ...]:
    """The lookups a column offers."""
    if not column.filterable:
        return ()
    return (*LOOKUPS[column.type], IS_NULL) if column.nullable else LOOKUPS[column.type]


def parameter_name(column: Column, lookup: str) -> str:
    return f"{column.name}__{lookup}" if lookup else column.name


def filter_names(columns: Iterable[Column]) -> dict[str, tuple[Column, str]]:
    """Every accepted filter parameter: name -> (column, lookup)."""
    return {
        parameter_name(column, lookup): (column, lookup) for column in columns for lookup in lookups(column)
    }


def condition(name: str, column: Column, lookup: str, values: list[str], faults: list[Fault]) -> Q | None:
    """The condition that one parameter asks for; faults are noted and give None."""
    if len(values) > MOST_VALUES:
        faults.append(
            Fault(f"?{name}", "too_many", f"{name} is repeated too often", f"at most {MOST_VALUES} values")
        )
        return None
    if lookup == IS_NULL:
        wanted = [_parse(name, _boolean, value, "true or false", faults) for value in values]
        if None in wanted or not _once(name, values, faults):
            return None
        unknown = Q(**{f"{column.path}__isnull": True})
        if column.type in (Type.TEXT, Type.SLUG):
            unknown |= Q(**{column.path: ""})
        return unknown if wanted[0] else ~unknown
    if lookup == CONTAINS:
        if any(not value for value in values):
            faults.append(Fault(f"?{name}", "empty", f"{name} is empty", "text"))
            return None
        found = Q()
        for value in values:
            found |= Q(**{f"{column.path}__icontains": value})
        return found
    parsed = _values(name, column, values, faults)
    if parsed is None:
        return None
    if lookup in COMPARISONS:
        return Q(**{f"{column.path}__{lookup}": parsed[0]}) if _once(name, values, faults) else None
    equal = Q(**{f"{column.path}__in": parsed})
    return ~equal if lookup == NOT else equal


def _once(name: str, values: list[str], faults: list[Fault]) -> bool:
    if len(values) > 1:
        faults.append(Fault(f"?{name}", "repeated", f"{name} may be given once", "one value"))
    return len(values) == 1


def _values(name: str, column: Column, values: list[str], faults: list[Fault]) -> list[Any] | None:
    before = len(faults)
    match column.type:
        case Type.CHOICE:
            codes = {word: code for code, word in column.words.items()}
            for value in values:
                if value not in codes:
                    accepted = list(codes)
                    faults.append(
                        Fault(
                            f"?{name}",
                            "choice",
                            f"{name}={value!r} is none of {', '.join(accepted)}",
                            accepted,
                        )
                    )
            parsed = [codes.get(value) for value in values]
        case Type.SLUG if column.reference is not None:
            parsed = list(known(column.reference, values, f"?{name}", faults).values())
        case _:
            parse, accepted_form = PARSERS[column.type]
            parsed = [_parse(name, parse, value, accepted_form, faults) for value in values]
    return parsed if len(faults) == before else None


def known(reference: Reference, values: list[str], pointer: str, faults: list[Fault]) -> dict[str, str]:
    """The slug of each given name; an unknown one is a fault with the nearest slugs."""
    rows = reference.model._default_manager
    found = {
        key: key
        for key in rows.filter(**{f"{reference.key}__in": values})
        .order_by()
        .values_list(reference.key, flat=True)
    }
    missing = [value for value in values if value not in found]
    if missing and reference.also:
        found |= reference.also(missing)
        missing = [value for value in values if value not in found]
    if missing:
        everything = list(rows.order_by().values_list(reference.key, flat=True).distinct())
        for value in missing:
            near = nearest(value, everything)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            faults.append(
                Fault(
                    pointer,
                    "unknown",
                    f"there is no {reference.noun} {value!r}{hint}",
                    near or f"a known {reference.noun}",
                )
            )
    return {value: found[value] for value in values if value in found}


def _parse[T](
    name: str, parse: Callable[[str], T], value: str, accepted: str, faults: list[Fault]
) -> T | None:
    try:
        return parse(value)
    except (ValueError, OverflowError, InvalidOperation):
        faults.append(Fault(f"?{name}", "invalid", f"{name}={value[:60]!r} is not {accepted}", accepted))
        return None


def _text(value: str) -> str:
    if not value:
        raise ValueError
    return value


def _boolean(value: str) -> bool:
    word = value.lower()
    if word not in (*TRUE_WORDS, *FALSE_WORDS):
        raise ValueError
    return word in TRUE_WORDS


def _integer(value: str) -> int:
    if len(value) > 20 or not value.removeprefix("-").isdecimal():
        raise ValueError
    result = int(value)
    if abs(result) > LARGEST_INTEGER:
        raise ValueError
    return result


def _number(value: str) -> float:
    result = float(value)
    if not math.isfinite(result) or abs(result) > LARGEST_NUMBER or "_" in value:
        raise ValueError
    return result


def _decimal(value: str) -> Decimal:
    result = Decimal(value)
    if not result.is_finite() or abs(result) > Decimal(LARGEST_NUMBER) or "_" in value:
        raise ValueError
    return result


def _date(value: str) -> date:
    return date.fromisoformat(value)


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value.replace(" ", "+"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


PARSERS: dict[Type, tuple[Callable[[str], Any], str]] = {
    Type.TEXT: (_text, "text"),
    Type.SLUG: (_text, "text"),
    Type.INTEGER: (_integer, "a whole number"),
    Type.NUMBER: (_number, "a finite number"),
    Type.MONEY: (_decimal, "a decimal number"),
    Type.BOOLEAN: (_boolean, "true or false"),
    Type.DATE: (_date, "a date such as 2025-01-31"),
    Type.TIME: (_time, "an ISO 8601 time such as 2025-01-31T12:00:00Z"),
}
