"""Each kind of answer as a plain function: figures of the catalogue, estimates, fits, ratios, costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from catalog.claim_parameters import AnswerAsked, ClaimParameters
from catalog.figures import Provenance, provenance
from catalog.models import Accelerator, PublishedClaim
from catalog.models.sources import FigureKind
from catalog.quantities import QUANTITIES
from estimates.answers import meets_service_level
from estimates.asked_model import find_workload
from estimates.claims.conditions import Question, combinations
from estimates.claims.rows import Row, UnanswerableClaim, scale_of, short
from estimates.core.estimate import Estimate, Interval
from estimates.evaluate import estimate_question, find_quote
from estimates.fact_book import FactBook
from estimates.from_catalog import datasheet_of, scale_out_of, scale_up_of
from estimates.what_if import InvalidQuestion, read_question

SECONDS_PER_HOUR: Final = 3600
MILLION: Final = 1e6
#: A figure of the catalogue is as good as what it was read from.
GRADE_OF_KIND: Final = {
    FigureKind.MEASURED: "A",
    FigureKind.VENDOR_CLAIM: "B",
    FigureKind.THIRD_PARTY: "C",
    FigureKind.DERIVED: "C",
    FigureKind.ASSUMED: "D",
}


# ---- Figures of the catalogue ----------------------------------------------------------------------------


def system_figure(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook
) -> list[Row]:
    """A figure of a machine from its accelerators: count times each one's."""
    chip, system = claim.accelerator, claim.system
    if chip is None:
        raise UnanswerableClaim("the accelerator it speaks of")
    count = parameters.count or (system.accelerator_count if system else None)
    if asked.figure in ("accelerator_count", "scale_up_domain"):
        if system is None:
            raise UnanswerableClaim("the system it speaks of")
        column = "accelerator_count" if asked.figure == "accelerator_count" else "scale_up_domain"
        value = getattr(system, column)
        known = provenance(system).get(column)
        return [figure_row(value, known, column, system.slug)]
    if count is None:
        raise UnanswerableClaim("how many accelerators it speaks of")
    summed = {"memory_total": "memory_gb", "bandwidth_total": "memory_bandwidth_gbs"}
    quantity = summed.get(asked.figure, f"peak_rate:{parameters.number_format}")
    one = accelerator_row(chip, quantity)
    if one.value is None:
        return [one]
    value = one.value * count * (asked.scale or 1)
    shown = f"{count} x {one.value / scale_of(QUANTITIES['accelerator'][quantity].unit):g} "
    shown += QUANTITIES["accelerator"][quantity].unit + (f" x {asked.scale:g}" if asked.scale else "")
    return [replace(one, value=value, low=value, high=value, deployment=shown)]


def accelerator_figure(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook
) -> list[Row]:
    """The accepted figure of one part."""
    if claim.accelerator is None:
        raise UnanswerableClaim("the accelerator it speaks of")
    one = accelerator_row(claim.accelerator, asked.figure)
    if one.value is None or asked.scale is None:
        return [one]
    value = one.value * asked.scale
    return [replace(one, value=value, low=value, high=value)]


def accelerator_row(chip: Accelerator, quantity: str) -> Row:
    """A figure in SI units with the grade of what it was read from."""
    about = QUANTITIES["accelerator"].get(quantity)
    if about is None:
        accepted = ", ".join(QUANTITIES["accelerator"])
        raise UnanswerableClaim(f"a figure: {quantity!r} is none of {accepted}")
    stands = datasheet_of(chip).quantities.get(quantity)
    value = None if stands is None else stands * scale_of(about.unit)
    known = provenance(chip).get(quantity)
    return figure_row(value, known, quantity, chip.slug)


def figure_row(value: float | None, known: Provenance | None, quantity: str, owner: str) -> Row:
    if value is None:
        missing = f"{quantity} of {owner}"
        return Row({}, "missing", detail=f"{missing} is not known", missing=(missing,))
    grade = GRADE_OF_KIND.get(known.kind) if known else None  # type: ignore[call-overload]  # text of a choice
    said = ""
    if known is not None:
        printed = f", printed as {known.as_printed}" if known.as_printed else ""
        said = f"{known.kind.replace('_', ' ')}: {known.source_title or known.reason or 'no source'}{printed}"
    value = float(value)
    return Row({}, "ok", value, value, value, grade, detail=said)


# ---- Figures of an estimate ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure read off an estimate: how, and whether more of it is better."""

    read: Callable[[Estimate], tuple[float | None, Interval | None]]
    more: bool = True
    loaded: bool = False  # a rate that a service level limits: one that misses the level is none


def _inverse(width: Interval | None) -> Interval | None:
    return None if width is None else Interval(1 / width.high, 1 / width.low)


def _times(width: Interval | None, factor: float) -> Interval | None:
    return None if width is None else Interval(width.low * factor, width.high * factor)


def _decode(estimate: Estimate) -> tuple[float | None, Interval | None]:
    """Tokens/s of all users while they decode: requests in flight over TPOT, with TPOT's interval."""
    rate, tpot = estimate.decode_tok_s, estimate.tpot_s
    width = _inverse(estimate.interval.get("tpot_s"))
    if rate is None or tpot is None:
        return None, None
    return rate, _times(width, rate * tpot)


def _rate(which: str, *, per_chip: bool) -> Callable[[Estimate], tuple[float | None, Interval | None]]:
    def read(estimate: Estimate) -> tuple[float | None, Interval | None]:
        value: float | None = getattr(estimate, which)
        width = estimate.interval.get(which)
        if value is None:
            return None, None
        share = 1 / chips_of(estimate) if per_chip else 1.0
        return value * share, _times(width, share)

    return read


def chips_of(estimate: Estimate) -> int:
    """Chips of the offer, idle ones included: they are paid for."""
    used, idle = estimate.deployment.get("chips_used"), estimate.deployment.get("chips_idle")
    return int(used) + int(idle)  # type: ignore[call-overload]  # the core's layout holds whole numbers


FIGURES: Final[dict[str, Figure]] = {
    "tok_s_per_user": Figure(lambda e: (e.tok_s_per_user, _inverse(e.interval.get("tpot_s")))),
    "tpot": Figure(lambda e: (e.tpot_s, e.interval.get("tpot_s")), more=False),
    "ttft": Figure(lambda e: (e.ttft_s.get("loaded_mean"), e.interval.get("ttft_loaded_mean_s")), more=False),
    "wait": Figure(lambda e: (e.e2e_s, e.interval.get("e2e_s")), more=False),
    "decode_tok_s": Figure(_decode),
    "output_tok_s": Figure(_rate("throughput_output_tok_s", per_chip=False), loaded=True),
    "total_tok_s": Figure(_rate("throughput_total_tok_s", per_chip=False), loaded=True),
    "output_tok_s_per_accelerator": Figure(_rate("throughput_output_tok_s", per_chip=True), loaded=True),
    "total_tok_s_per_accelerator": Figure(_rate("throughput_total_tok_s", per_chip=True), loaded=True),
}


def estimated(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook
) -> list[Row]:
    """A figure of the best deployment in every combination of the open conditions."""
    return [
        replace(best_row(one.questions, asked.figure, book), conditions=one.conditions)
        for one in combinations(claim, parameters, asked)
    ]


def best_row(questions: list[Question], figure: str, book: FactBook) -> Row:
    """The best of alternatives; where none has a value, the first that says why."""
    rows = [estimate_row(question, figure, book) for question in questions]
    valued = [row for row in rows if row.value is not None]
    if not valued:
        return next((row for row in rows if row.missing), rows[0])
    choose = max if FIGURES[figure].more else min
    return choose(valued, key=lambda row: row.value or 0.0)


def estimate_row(question: Question, figure: str, book: FactBook) -> Row:
    """One what-if, its figure and interval; what is refused or does not fit has the reason."""
    found = asked_estimate(question, book)
    if isinstance(found, Row):
        return found
    about = FIGURES[figure]
    value, width = about.read(found)
    row = described(found, question, book)
    if value is None:
        missing = tuple(f"{fact} of {question.get('accelerator')}" for fact in found.missing_facts)
        what = figure.replace("_", " ")
        return replace(row, state="missing", missing=missing, detail=row.detail or f"no {what} without it")
    if about.loaded and meets_service_level(found, find_workload(read_question(question))) is False:
        limits = {name: limit for name, limit in question["workload"].items() if name.endswith("limit_ms")}
        said = ", ".join(f"{name.split('_')[0].upper()} {limit:g} ms" for name, limit in limits.items())
        return replace(row, state="misses_level", detail=f"no deployment keeps {said}")
    low, high = (width.low, width.high) if width else (value, value)
    return replace(row, state=found.state, value=value, low=low, high=high)


def asked_estimate(question: Question, book: FactBook) -> Estimate | Row:
    """The estimate of a what-if that runs, else the row that says why there is none."""
    for name in ("model", "accelerator"):
        if not question.get(name):
            raise UnanswerableClaim(f"the {name} it speaks of")
    try:
        found = estimate_question(read_question(question), book, explained=False)
    except InvalidQuestion as error:
        return Row({}, "refused", detail="; ".join(fault.detail for fault in error.faults))
    if found.state == "refused":
        reason = found.reason.detail if found.reason else ""
        missing = tuple(f"{fact} of {question['accelerator']}" for fact in found.missing_facts)
        return Row({}, "refused", detail=reason, missing=missing)
    if found.state == "does_not_fit" and lacks_link(found, question, book):
        missing = (f"a link between the chips of {question['accelerator']}",)
        return Row({}, "missing", detail=f"{missing[0]} is not known", missing=missing)
    if found.state == "does_not_fit":
        short_of = (found.shortfall_bytes or 0) / 1e9
        row = described(found, question, book)
        return replace(
            row, state="does_not_fit", detail=f"does not fit: {short_of:.1f} GB short on each chip"
        )
    return found


def lacks_link(estimate: Estimate, question: Question, book: FactBook) -> bool:
    """Whether chips lie idle for want of a known link, so that what does not fit one might fit many."""
    hardware = book.hardware_of(read_question(question))
    sheet = hardware.sheet
    linked = scale_up_of(hardware.shape, sheet) or scale_out_of(hardware.shape, sheet) or sheet.memory_is_sram
    return not linked and bool(estimate.deployment.get("chips_idle"))


def described(estimate: Estimate, question: Question, book: FactBook) -> Row:
    """The row without its value: deployment, watts of the chips used, grade, assumptions."""
    chip = book.chip_of(read_question(question))
    used = estimate.deployment.get("chips_used")
    watts = chip.power_w * used if chip.power_w and isinstance(used, int) else None
    return Row(
        {},
        grade=estimate.grade,
        deployment=in_words(estimate, question),
        watts=watts,
        detail=estimate.reason.detail if estimate.reason else "",
        assumptions=estimate.assumptions,
    )


def in_words(estimate: Estimate, question: Question) -> str:
    """The layout in a few words."""
    at = estimate.deployment
    sizes = [f"{name.upper()} {at[name]}" for name in ("tp", "pp", "ep", "dp") if at.get(name, 1) != 1]
    if at.get("replicas", 1) != 1:
        sizes.append(f"{at['replicas']} {'decode workers' if 'prefill' in at else 'replicas'}")
    pool = at.get("prefill")
    if isinstance(pool, dict):
        sizes.append(f"{pool['workers']} prefill workers of TP {pool['tp']} PP {pool['pp']}")
    count = question.get("count", 1)
    hardware = f"{count} x {question['accelerator']}" if count != 1 else str(question["accelerator"])
    users = "" if estimate.concurrency is None else f", {estimate.concurrency:g} in flight"
    layout = f", {' '.join(sizes)}" if sizes else ""
    return f"{hardware}, {at['weights']}, cache {at['kv_format']}{layout}{users}"


# ---- Fits, ratios, costs ---------------------------------------------------------------------------------


def fits(claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook) -> list[Row]:
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
                parts={"room_requests": found.max_concurrency},
            )
        else:
            row = next(e for _, e in tried if isinstance(e, Row))
            if row.state == "does_not_fit":
                row = replace(row, value=0.0, low=0.0, high=0.0, parts={"room_requests": 0})
        rows.append(replace(row, conditions=one.conditions))
    return rows


def fit_estimate(question: Question, book: FactBook) -> Estimate | Row:
    """The estimate of a fit, which no bandwidth decides: where none is known any stands in for it."""
    found = asked_estimate(question, book)
    if isinstance(found, Row) and any(fact.startswith("memory_bandwidth ") for fact in found.missing):
        return asked_estimate({**question, "overrides": {"memory_bandwidth_gbs": 1.0}}, book)
    return found


def storage_only(question: Question, estimate: Estimate, book: FactBook) -> str:
    """Whether the chip computes in another format than the weights are stored in."""
    chip = book.chip_of(read_question(question))
    stored = str(estimate.deployment.get("weights", ""))
    wanted = "fp4" if "fp4" in stored else "fp8" if stored.startswith("fp8") else None
    if wanted is None or chip.rate(wanted) is not None:
        return ""
    return f"; stored in {stored} alone, computed in 16 bit: {chip.slug} has no {wanted} rate"


def ratio(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook
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
        parts={"ours": short(ours.value), "theirs": short(theirs.value)},
        assumptions=(*ours.assumptions, *theirs.assumptions),
    )


def _log(upper: float | None, lower: float | None) -> float:
    return math.log(upper / lower) if upper and lower else 0.0


def cost(claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: FactBook) -> list[Row]:
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


def priced_row(question: Question, figure: str, parameters: ClaimParameters, book: FactBook) -> Row:
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


Evaluator = Callable[[PublishedClaim, ClaimParameters, AnswerAsked, FactBook], list[Row]]

EVALUATORS: Final[dict[str, Evaluator]] = {
    "system_figure": system_figure,
    "accelerator_figure": accelerator_figure,
    "estimate": estimated,
    "fit": fits,
    "ratio": ratio,
    "cost": cost,
}
