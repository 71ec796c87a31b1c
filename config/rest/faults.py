"""Errors of the API: what is wrong, where, and what would be accepted instead (RFC 9457)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rest_framework.exceptions import APIException


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request.

    `pointer` is a JSON pointer into the body (`/memory_gb`), `?name` for a query parameter, or
    `header:Name`. `accepted` lists values, names or a rule that would have been accepted.
    """

    pointer: str
    code: str
    detail: str
    accepted: Any = None

    def as_json(self) -> dict[str, Any]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail, "accepted": self.accepted}


class Problem(APIException):
    """An error answer of the API; raise it anywhere below a view.

    Args:
        status: HTTP status.
        code: kind of problem, the last part of its `type`.
        detail: one sentence for a person.
        faults: each thing that is wrong.
        headers: response headers, such as the current `ETag` of a 412.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.problem_code = code
        self.problem_detail = detail
        self.faults = list(faults)
        self.headers = dict(headers or {})


def invalid_parameters(faults: Sequence[Fault]) -> Problem:
    """400 for a query string with faults."""
    return Problem(400, "invalid-parameters", _summary("The query", faults), faults)


def invalid_body(faults: Sequence[Fault]) -> Problem:
    """400 for a body that is JSON but not what is accepted here."""
    return Problem(400, "invalid-body", _summary("The body", faults), faults)


def not_found(what: str, key: str, known: Iterable[str] = ()) -> Problem:
    """404 for an unknown slug, with the nearest known ones."""
    near = nearest(key, known)
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return Problem(
        404,
        "not-found",
        f"There is no {what} {key[:200]!r}.{hint}",
        [Fault("", "unknown", f"no {what} of this name", near)] if near else [],
    )


def nearest(wanted: str, known: Iterable[str], count: int = 5) -> list[str]:
    """The most similar known names: those that contain the wanted one first, then by spelling."""
    names = list(known)
    wanted = wanted.lower()[:200]
    containing = sorted((name for name in names if wanted and wanted in name.lower()), key=len)
    similar = get_close_matches(wanted, names, n=count, cutoff=0.5)
    return list(dict.fromkeys([*containing[:count], *similar]))[:count]


def _summary(what: str, faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return f"{what} is not accepted: {faults[0].detail}"
    return (
        f"{what} has {len(faults)} faults; the first: {faults[0].detail}" if faults else f"{what} is wrong."
    )
