"""Each kind of answer as a plain function from a claim to its rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from catalog.claim_parameters import AnswerAsked, ClaimParameters
from catalog.models import PublishedClaim
from estimates.claims.book import AnswerBook
from estimates.claims.catalogue_figures import accelerator_figure, system_figure
from estimates.claims.conditions import Question, combinations
from estimates.claims.deployment_figures import asked_estimate, best_row, described, estimate_row
from estimates.claims.rows import Row, short
from estimates.core.estimate import Estimate
from estimates.evaluate import find_quote
from estimates.what_if import read_question

SECONDS_PER_HOUR: Final = 3600
MILLION: Final = 1e6


def estimated(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """A figure of the best deployment in every combination of the open conditions."""
    return [
        replace(best_row(one.questions, asked.figure, book), conditions=one.conditions)
        for one in combinations(claim, parameters, asked)
    ]


def fits(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """1 where the model and a request fit, 0 where they do not, with the requests there is room for."""
    rows = []
    for one in combinations(claim, parameters, asked):
        tried = [(question, fit_estimate(question, book)) for question in one.questions]
        running = [(q, e) for q, e in tried if isinstance(e, Estimate)]
        if running:
            question, found = max(running, key=lambda pair: pair[1].max_concurrency or 0)
            rate = storage_only(question, found, book)
            row = replace(
                described(found, question, book),
                value=1.0,
                low=1.0,
                high=1.0,
                detail=f"room for {found.max_concurrency:,} requests{rate}",
                parts={"room_requests": int(found.max_concurrency or 0)},
            )
        else:
            row = next(e for _, e in tried if isinstance(e, Row))
            if row.state == "does_not_fit":
                row = replace(row, value=0.0, low=0.0, high=0.0, parts={"room_requests": 0})
        rows.append(replace(row, conditions=one.conditions))
    return rows


def fit_estimate(question: Question, book: AnswerBook) -> Estimate | Row:
    """The estimate of a fit, which no bandwidth decides: where none is known any stands in for it."""
    found = asked_estimate(question, book)
    if isinstance(found, Row) and any(fact.startswith("memory_bandwidth ") for fact in found.missing):
        return asked_estimate({**question, "overrides": {"memory_bandwidth_gbs": 1.0}}, book)
    return found


def storage_only(question: Question, estimate: Estimate, book: AnswerBook) -> str:
    """Whether the chip computes in another format than the weights are stored in."""
    chip = book.chip_of(read_question(question))
    stored = str(estimate.deployment.get("weights", ""))
    wanted = "fp4" if "fp4" in stored else "fp8" if stored.startswith("fp8") else None
    if wanted is None or chip.rate(wanted) is not None:
        return ""
    return f"; stored in {stored} alone, computed in 16 bit: {chip.slug} has no {wanted} rate"


def ratio(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """The best of one side over the best of the other. The two errors are taken as independent."""
    rows = []
    for one in combinations(claim, parameters, asked):
        ours = best_row(one.questions, asked.figure, book)
        theirs = best_row(one.against, asked.figure, book)
        rows.append(replace(divided(ours, theirs), conditions=one.conditions))
    return rows


def divided(ours: Row, theirs: Row) -> Row:
    """Ours over theirs, with half-widths of the logarithms added in squares."""
    if ours.value is None or theirs.value is None:
        lacking = ours if ours.value is None else theirs
        return lacking
    value = ours.value / theirs.value
    down = math.hypot(_log(ours.value, ours.low), _log(theirs.high, theirs.value))
    up = math.hypot(_log(ours.high, ours.value), _log(theirs.value, theirs.low))
    return Row(
        {},
        "ok",
        value,
        value * math.exp(-down),
        value * math.exp(up),
        max(ours.grade or "D", theirs.grade or "D"),
        deployment=f"{ours.deployment} against {theirs.deployment}",
        detail="; ".join(filter(None, (ours.detail, theirs.detail))),
        parts={"ours": short(ours.value), "theirs": short(theirs.value)},
        assumptions=(*ours.assumptions, *theirs.assumptions),
    )


def _log(upper: float | None, lower: float | None) -> float:
    return math.log(upper / lower) if upper and lower else 0.0


def cost(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """USD per million tokens at the highest throughput that keeps the level; tokens as the claim counts."""
    both = parameters.tokens_counted == "input + output"
    figure = "total_tok_s" if both else "output_tok_s"
    rows = []
    for one in combinations(claim, parameters, asked):
        priced = [priced_row(question, figure, parameters, book) for question in one.questions]
        valued = [row for row in priced if row.value is not None]
        row = min(valued, key=lambda row: row.value or 0.0) if valued else priced[0]
        rows.append(replace(row, conditions=one.conditions))
    return rows


def priced_row(question: Question, figure: str, parameters: ClaimParameters, book: AnswerBook) -> Row:
    row = estimate_row(question, figure, book)
    if row.value is None or row.low is None or row.high is None:
        return row
    stated = parameters.usd_per_accelerator_hour
    if stated is not None:
        hourly, said = stated * question.get("count", 1), f"USD {stated:g} an hour each, as the claim states"
    else:
        asked = read_question(question)
        quote = find_quote(asked.price, book.hardware_of(asked))
        if quote is None:
            missing = f"a quote for {question['accelerator']}"
            return replace(row, state="missing", value=None, low=None, high=None, missing=(missing,))
        hourly = float(quote.usd_per_hour)
        said = f"USD {hourly:.2f} an hour, the lowest quote"
    tokens = {name: getattr(row, name) * SECONDS_PER_HOUR / MILLION for name in ("value", "low", "high")}
    return replace(
        row,
        value=hourly / tokens["value"],
        low=hourly / tokens["high"],
        high=hourly / tokens["low"],
        detail=said,
        parts={"usd_per_hour": short(hourly), "tok_s": short(row.value)},
    )


Evaluator = Callable[[PublishedClaim, ClaimParameters, AnswerAsked, AnswerBook], list[Row]]

EVALUATORS: Final[dict[str, Evaluator]] = {
    "system_figure": system_figure,
    "accelerator_figure": accelerator_figure,
    "estimate": estimated,
    "fit": fits,
    "ratio": ratio,
    "cost": cost,
}
