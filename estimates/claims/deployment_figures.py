"""Claims on speeds: a figure of the best deployment, read off an estimate, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from estimates.answers import meets_service_level
from estimates.asked_model import find_workload
from estimates.claims.book import AnswerBook
from estimates.claims.conditions import Question
from estimates.claims.rows import Row, UnanswerableClaim
from estimates.core.estimate import Estimate, Interval
from estimates.evaluate import estimate_question
from estimates.from_catalog import scale_out_of, scale_up_of
from estimates.what_if import InvalidQuestion, read_question


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


def best_row(questions: list[Question], figure: str, book: AnswerBook) -> Row:
    """The best of alternatives; where none has a value, the first that says why."""
    rows = [estimate_row(question, figure, book) for question in questions]
    valued = [row for row in rows if row.value is not None]
    if not valued:
        return next((row for row in rows if row.missing), rows[0])
    choose = max if FIGURES[figure].more else min
    return choose(valued, key=lambda row: row.value or 0.0)


def estimate_row(question: Question, figure: str, book: AnswerBook) -> Row:
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
    if about.loaded and misses_level(found, question):
        return nearly_keeping(found, question, figure, book)
    low, high = (width.low, width.high) if width else (value, value)
    return replace(row, state=found.state, value=value, low=low, high=high)


def misses_level(found: Estimate, question: Question) -> bool:
    return meets_service_level(found, find_workload(read_question(question))) is False


def nearly_keeping(found: Estimate, question: Question, figure: str, book: AnswerBook) -> Row:
    """The best deployment whose 80% interval reaches into a service level that none keeps in the middle.

    Limits are widened by as much as the intervals of the deployment nearest to the level are; the answer says
    so. None where nothing comes that near.
    """
    limits = level_of(question)
    said = ", ".join(f"{name} {limit:g} ms" for name, limit in limits.items())
    nothing = replace(
        described(found, question, book), state="misses_level", detail=f"no deployment keeps {said}"
    )
    widened = dict(question["workload"])
    for name in limits:
        value, width = FIGURES[name.lower()].read(found)
        if value is None or width is None:
            return nothing
        widened[f"{name.lower()}_limit_ms"] = float(limits[name] * value / width.low)
    again = asked_estimate({**question, "workload": widened}, book)
    if isinstance(again, Row) or misses_level(again, {**question, "workload": widened}):
        return nothing
    value, width = FIGURES[figure].read(again)
    if value is None or width is None:
        return nothing
    reached = ", ".join(
        f"{name} {1e3 * (FIGURES[name.lower()].read(again)[0] or 0):,.0f} ms" for name in limits
    )
    detail = f"{said} kept within the interval alone: {reached}"
    row = described(again, question, book)
    return replace(row, state="ok", value=value, low=width.low, high=width.high, detail=detail)


def level_of(question: Question) -> dict[str, float]:
    """The limits of a question in ms: of TTFT and TPOT, those given."""
    workload = question.get("workload") or {}
    given = {name: workload.get(f"{name.lower()}_limit_ms") for name in ("TTFT", "TPOT")}
    return {name: float(limit) for name, limit in given.items() if limit is not None}


def asked_estimate(question: Question, book: AnswerBook) -> Estimate | Row:
    """The estimate of a what-if that runs, else the row that says why there is none."""
    return book.once(question, lambda: made_estimate(question, book))


def made_estimate(question: Question, book: AnswerBook) -> Estimate | Row:
    for name in ("model", "accelerator"):
        if not question.get(name):
            raise UnanswerableClaim(f"the {name} it speaks of")
    try:
        found = estimate_question(read_question(question), book, explained=False)
    except InvalidQuestion as error:
        said = "; ".join(fault.detail for fault in error.faults)
        engines = any(fault.pointer.endswith("_unit") for fault in error.faults)
        lacking = [f"the engines of {question['accelerator']}"] if engines else []
        return Row({}, "refused", detail=said, missing=tuple(lacking))
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


def lacks_link(estimate: Estimate, question: Question, book: AnswerBook) -> bool:
    """Whether chips lie idle for want of a known link, so that what does not fit one might fit many."""
    hardware = book.hardware_of(read_question(question))
    sheet = hardware.sheet
    linked = scale_up_of(hardware.shape, sheet) or scale_out_of(hardware.shape, sheet) or sheet.memory_is_sram
    return not linked and bool(estimate.deployment.get("chips_idle"))


def described(estimate: Estimate, question: Question, book: AnswerBook) -> Row:
    """The row without its value: deployment, watts of the chips used, grade, assumptions."""
    chip = book.chip_of(read_question(question))
    used = estimate.deployment.get("chips_used")
    watts = chip.power_w * int(used) if chip.power_w and used else None  # type: ignore[call-overload]
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
