"""Writes answers as JSON (orjson) and lists as CSV, with cells that a spreadsheet would run escaped."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

from config.rest.columns import Row

#: A cell that begins with one of these is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Table:
    """A list answer: the body as JSON has it, and the columns and rows as CSV has them."""

    body: dict[str, Any]
    columns: list[str]
    rows: list[Row]


def dumps(data: Any) -> bytes:
    """JSON with times in UTC; decimals become strings, what is not finite becomes null."""
    return orjson.dumps(
        data, default=_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    )


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def cell(value: Any) -> str:
    """One CSV cell: nothing for unknown, true and false, numbers as JSON has them, text made harmless."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case str():
            return f"'{value}" if value.startswith(FORMULA_STARTS) and not _is_number(value) else value
        case list() if all(isinstance(entry, str) for entry in value):
            return cell("; ".join(value))
        case _:
            return dumps(value).decode().strip('"')


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdecimal() and value.isascii()


class JsonRenderer(BaseRenderer):
    """JSON; a `Table` shows its body."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        if data is None:
            return b""
        return dumps(data.body if isinstance(data, Table) else data)


class CsvRenderer(BaseRenderer):
    """CSV with a header line; exactly the rows and columns that the JSON of the same address shows."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(data.columns)
        writer.writerows([cell(row[name]) for name in data.columns] for row in data.rows)
        return out.getvalue().encode()
