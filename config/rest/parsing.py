"""Reads JSON bodies strictly: bounded depth, no NaN or Infinity, no key twice."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from config.rest.faults import Fault, Problem

DEEPEST = 32
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


def malformed(code: str, detail: str, accepted: Any = None) -> Problem:
    return Problem(400, "malformed-body", detail, [Fault("", code, detail, accepted)])


def check_depth(body: bytes, deepest: int = DEEPEST) -> None:
    """Raise `Problem` (400) where brackets nest deeper than `deepest`; nothing is built."""
    depth = 0
    for token in TOKEN.finditer(body):
        match body[token.start()]:
            case 0x5B | 0x7B:
                depth += 1
                if depth > deepest:
                    raise malformed(
                        "too_deep",
                        f"The JSON nests deeper than {deepest} levels.",
                        f"at most {deepest} levels",
                    )
            case 0x5D | 0x7D:
                depth -= 1


def loads(body: bytes, deepest: int = DEEPEST) -> Any:
    """The value of a JSON text.

    Raises:
        Problem: 400 where it is no JSON, too deep, not UTF-8, repeats a key or holds a number that is not
            finite.
    """
    check_depth(body, deepest)
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_without_repetition,
        )
    except UnicodeDecodeError:
        raise malformed("encoding", "The body is not UTF-8.", "JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise malformed("syntax", f"The body is not JSON: {error.msg} at {place}.", "JSON") from None
    _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    """Refuse text that no database takes: NUL characters and halves of surrogate pairs."""
    match value:
        case str():
            if "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
                raise malformed(
                    "text", "A text holds a NUL character or half a surrogate pair.", "plain text"
                )
        case list():
            for entry in value:
                _check_texts(entry)
        case dict():
            for key, entry in value.items():
                _check_texts(key)
                _check_texts(entry)


def _refuse_constant(name: str) -> NoReturn:
    raise malformed("not_finite", f"{name} is not a number that JSON has.", "a finite number or null")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise malformed("not_finite", f"{digits[:40]} is too large.", "a finite number")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 30:
        raise malformed("too_large", "A whole number has more than 30 digits.", "at most 30 digits")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise malformed(
            "repeated_key", f"The key {twice[:100]!r} stands twice in one object.", "each key once"
        )
    return result


class StrictJsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return loads(stream.read())
