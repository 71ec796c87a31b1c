"""How many drafted tokens a model takes: the law of a step's yield, and what is published with its source.

If each drafted token is taken with chance a once those before it were, n of them yield
(1 - a^(n + 1)) / (1 - a) tokens a step (Leviathan, Kalman, Matias 2023, arXiv 2211.17192, equation 1).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from estimates.core.facts import SPECULATIONS, Speculation

Array = NDArray[np.floating]

FILE = "acceptance.csv"
#: What sources print: the chance a; tokens a step; drafted tokens taken over drafted tokens.
QUANTITIES: tuple[str, ...] = ("acceptance", "accepted_length", "accepted_share")
#: Spread of the acceptance around a figure that comes with none: texts differ by more than a few points.
ACCEPTANCE_SPREAD = 0.1


class InvalidAcceptance(ValueError):  # noqa: N818
    """A broken row of the acceptance data: line, column, value, what is accepted."""

    def __init__(self, line: int, column: str, value: object, accepted: str) -> None:
        self.line, self.column, self.value, self.accepted = line, column, value, accepted
        super().__init__(f"{FILE} line {line}: {column} is {value!r}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One published acceptance: of which models, drafted by what, with at most how many tokens."""

    method: str
    models: tuple[str, ...]
    draft: str  # slug of the draft model; empty for the model's own module and for look-ups
    draft_tokens: int
    value: float
    low: float | None
    high: float | None
    source: str


def tokens_per_step(acceptance: Array | float, draft_tokens: Array | int) -> Array:
    """Expected tokens of one verifying step: 1 + a + ... + a^n, which is n + 1 where all are taken."""
    a, n = np.broadcast_arrays(np.asarray(acceptance, float), np.asarray(draft_tokens))
    total = np.ones(a.shape)
    for power in range(1, int(n.max(initial=0)) + 1):
        total = total + np.where(n >= power, a**power, 0.0)
    return total


def acceptance_of(tokens: float, draft_tokens: int) -> float:
    """The acceptance that yields so many tokens a step: the inverse, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        enough = float(tokens_per_step(middle, draft_tokens)) >= tokens
        low, high = (low, middle) if enough else (middle, high)
    return (low + high) / 2


def accepted_range(speculation: Speculation) -> tuple[float, float]:
    """Acceptance at the low and the high end of its spread."""
    a = speculation.acceptance or 0.0
    low, high = speculation.acceptance_range or (a - ACCEPTANCE_SPREAD, a + ACCEPTANCE_SPREAD)
    return max(0.0, min(low, a)), min(1.0, max(high, a))


def published(rows: tuple[Acceptance, ...], speculation: Speculation, model: str) -> Acceptance | None:
    """What is published of a model drafted so, with at least as many tokens; the fewest of those."""
    draft = speculation.draft_model.slug if speculation.draft_model is not None else ""
    known = [
        row
        for row in rows
        if row.method == speculation.method
        and model in row.models
        and row.draft == draft
        and row.draft_tokens >= speculation.draft_tokens
    ]
    return min(known, key=lambda row: row.draft_tokens) if known else None


def load_acceptance(directory: Path) -> tuple[Acceptance, ...]:
    """The rows of a directory's file, none where it has none. Raises InvalidAcceptance."""
    path = directory / FILE
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as handle:
        return tuple(_row(line, row) for line, row in enumerate(csv.DictReader(handle), start=2))


def _row(line: int, row: dict[str, str]) -> Acceptance:
    if row["method"] not in SPECULATIONS:
        raise InvalidAcceptance(line, "method", row["method"], ", ".join(SPECULATIONS))
    if row["quantity"] not in QUANTITIES:
        raise InvalidAcceptance(line, "quantity", row["quantity"], ", ".join(QUANTITIES))
    if not row["source"] or not row["models"]:
        raise InvalidAcceptance(line, "source", row["source"], "a source, and the slugs of models")
    if not row["draft_tokens"].isdigit() or int(row["draft_tokens"]) < 1:
        raise InvalidAcceptance(line, "draft_tokens", row["draft_tokens"], "a whole number of at least 1")
    n = int(row["draft_tokens"])

    def rate(column: str) -> float:
        try:
            value = float(row[column])
        except ValueError:
            raise InvalidAcceptance(line, column, row[column], "a number") from None
        most = n + 1.0 if row["quantity"] == "accepted_length" else 1.0
        least = 1.0 if row["quantity"] == "accepted_length" else 0.0
        if not least <= value <= most:
            raise InvalidAcceptance(line, column, value, f"from {least:g} to {most:g}")
        if row["quantity"] == "acceptance":
            return value
        return acceptance_of(value if row["quantity"] == "accepted_length" else 1 + n * value, n)

    return Acceptance(
        method=row["method"],
        models=tuple(row["models"].split()),
        draft=row["draft"],
        draft_tokens=n,
        value=rate("value"),
        low=rate("low") if row["low"] else None,
        high=rate("high") if row["high"] else None,
        source=row["source"],
    )
