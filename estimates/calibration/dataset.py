"""Published runs as observations: each figure's log residual against the physics, and what may not teach.

A run goes through the questions and the deciding of the what-if path, so that what is learnt from it is what
will be asked. A figure becomes a time: TPOT, TTFT, or the time of a token at full throughput.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from estimates.asked_model import deployment_facts, find_workload
from estimates.core.choice import Choice
from estimates.core.deployments import Reason
from estimates.core.efficiency import EfficiencyTable
from estimates.core.estimate import decide
from estimates.core.facts import ModelFacts
from estimates.core.floor import decode_floor_s
from estimates.core.identity import GROUP, OWN_THROUGHPUT, Identity
from estimates.core.points import evaluate_points, place
from estimates.fact_book import FactBook
from estimates.from_catalog import offer_of
from estimates.measured.predictions import MORE_MEMORY
from estimates.measured.questions import Asked, asked_of, read_names
from estimates.measured.runs import Run
from estimates.what_if import InvalidQuestion, Question

Array = NDArray[np.floating]

#: Flags of runs that were not what they say, or of another deployment than the one described.
UNTAUGHT_FLAGS: Final = frozenset(
    {"incomplete_deployment", "speculative", "mlperf_open", "anomaly", "host_limited"}
)
PHYSICAL_SHARE: Final = 0.95  # a TPOT below this share of the floor is impossible
UNLOADED_SHARE: Final = 0.5  # a TTFT below this share of one's own unloaded prefill had it cached
COPY: Final = 0.005  # figures of one configuration closer than this are one measurement


@dataclass(frozen=True, slots=True)
class Observation:
    """One figure of one run. `log_measured` is the logarithm of a time in seconds (a token's, for rates)."""

    run: Run
    metric_name: str
    metric: str
    identity: Identity
    features: Array
    log_measured: float
    row: int  # of the run among the dataset's cases
    teaches: bool
    reason: str  # why it does not teach

    @property
    def group(self) -> tuple[str, ...]:
        return (self.metric, *(getattr(self.identity, name) for name in GROUP))


@dataclass(slots=True)
class Case:
    """A run with the deployment that answers it."""

    run: Run
    model: ModelFacts
    choice: Choice


@dataclass(slots=True)
class Physics:
    """What the uncorrected estimator says of cases; arrays of shape (cases,), NaN where it cannot say."""

    tpot: Array
    ttft: Array  # mean as a benchmark prints it: with the wait for cache space where there is one
    unloaded: Array
    throughput: Array  # output tokens/s of the whole deployment
    total: Array
    e2e: Array
    prefill: Array
    running: Array  # decoding sequences of the whole deployment
    floor: Array
    queued: NDArray[np.bool_]


@dataclass(slots=True)
class Dataset:
    """Cases, what the physics says of them, their observations by run id; what was left out and why."""

    cases: list[Case]
    physics: Physics
    observations: list[Observation]
    left_out: Counter[str] = field(default_factory=Counter)
    copies_removed: int = 0


def cases_of(runs: Iterable[Run], table: EfficiencyTable) -> tuple[list[Case], Counter[str]]:
    """Every run that states enough, with its deployment decided by the physics alone."""
    names, book = read_names(), FactBook()
    cases: list[Case] = []
    left_out: Counter[str] = Counter()
    for run in sorted(runs, key=lambda run: run.run_id):
        asked = asked_of(run, names)
        if not isinstance(asked, Asked):
            left_out[asked.code] += 1
            continue
        choice = deployment_of(asked.question, book, table)
        if isinstance(choice, str):
            left_out[choice] += 1
            continue
        model = book.model_of(asked.question)
        cases.append(Case(run, model, choice))
    return cases, left_out


def deployment_of(question: Question, book: FactBook, table: EfficiencyTable) -> Choice | str:
    """The deployment that answers a question, or the code of why there is none.

    A run that fitted where the memory model says it does not is decided again with more memory, as the
    validation does.
    """
    try:
        choice = _decided(question, book, table)
        if isinstance(choice, Choice):
            found = evaluate_points(book.model_of(question), [choice.point], table, corrected=False)
            if not found.fits[0]:
                again = question.model_copy(update={"overrides": {"memory_gb": MORE_MEMORY}})
                other = _decided(again, book, table)
                choice = other if isinstance(other, Choice) else choice
    except InvalidQuestion as error:
        return error.faults[0].code
    return choice.code if isinstance(choice, Reason) else choice


def _decided(question: Question, book: FactBook, table: EfficiencyTable) -> Choice | Reason:
    hardware, model = book.hardware_of(question), book.model_of(question)
    offer = offer_of(hardware.shape, hardware.sheet, book.chip_of(question))
    deployment = deployment_facts(question.deployment)
    return decide(model, offer, find_workload(question), deployment, table)


def physics_of(cases: Sequence[Case], table: EfficiencyTable) -> Physics:
    """Evaluate all cases, model by model, without the residuals of measured kin."""
    count = len(cases)
    fields = ("tpot", "ttft", "unloaded", "throughput", "total", "e2e", "prefill", "running", "floor")
    arrays = {name: np.full(count, np.nan) for name in fields}
    queued = np.zeros(count, bool)
    by_model: dict[str, list[int]] = {}
    for row, case in enumerate(cases):
        by_model.setdefault(case.model.slug, []).append(row)
    for members in by_model.values():
        at = np.array(members, np.intp)
        model = cases[at[0]].model
        points = [cases[row].choice.point for row in at]
        replicas = np.array([cases[row].choice.replicas for row in at], float)
        found = evaluate_points(model, points, table, corrected=False)
        loop = found.loop

        def flat(values: Array) -> Array:
            return np.asarray(values, float).reshape(-1)

        arrays["tpot"][at] = flat(loop.tpot)
        arrays["ttft"][at] = flat(loop.ttft_saturated)
        arrays["unloaded"][at] = flat(loop.ttft_unloaded)
        arrays["throughput"][at] = flat(loop.throughput) * replicas
        arrays["total"][at] = flat(loop.throughput_total) * replicas
        arrays["prefill"][at] = flat(loop.prefill_tok_s) * replicas
        arrays["e2e"][at] = flat(loop.e2e)
        arrays["running"][at] = flat(loop.decode_throughput * loop.tpot) * replicas
        context = np.array([p.workload.isl + p.workload.osl / 2 for p in points]).reshape(-1, 1, 1)
        arrays["floor"][at] = flat(decode_floor_s(found.models, found.lanes, loop.running, context))
        queued[at] = flat(loop.ttft_saturated) > flat(loop.ttft_loaded) * (1 + 1e-9)
    return Physics(**arrays, queued=queued)


_MILLISECONDS: Final = ("tpot_ms", "ttft_ms")
_SECONDS: Final = ("e2e_latency_s",)


def log_physics(metric: str, physics: Physics, row: int, case: Case) -> tuple[str, float]:
    """(quantity, logarithm of the time that the physics gives) of a published metric of a case."""
    chips = (case.run.n_accelerators or 1) if metric == "output_tok_s_per_accel" else 1
    match metric:
        case "tpot_ms" | "decode_tok_s_per_user":
            return "tpot", float(np.log(physics.tpot[row]))
        case "ttft_ms":
            return "ttft", float(np.log(physics.ttft[row]))
        case "prefill_tok_s":
            computed = 1 - case.choice.point.workload.prefix_share
            return "ttft", -float(np.log(physics.prefill[row] * computed))
        case "e2e_latency_s":
            return "throughput", float(np.log(physics.e2e[row]))
        case "total_tok_s":
            return "throughput", -float(np.log(physics.total[row]))
    if case.run.scenario == "decode":
        # Tokens of all sequences while they decode: the prompts are not timed.
        return "tpot", float(np.log(physics.tpot[row] / physics.running[row] * chips))
    return "throughput", -float(np.log(physics.throughput[row] / chips))


def log_time(metric: str, value: float) -> float:
    """A published value as the logarithm of a time in seconds; a rate is the time of a token."""
    if metric in _MILLISECONDS:
        return float(np.log(value / 1e3))
    return float(np.log(value) if metric in _SECONDS else -np.log(value))


def observe(cases: Sequence[Case], physics: Physics) -> list[Observation]:
    """Every figure of every case that the physics can say, in the order of cases."""
    found = []
    for row, case in enumerate(cases):
        where = place(case.choice.point, case.model)
        for metric, value in case.run.metrics:
            quantity, expected = log_physics(metric, physics, row, case)
            if not np.isfinite(expected):
                continue
            queued = quantity == "ttft" and bool(physics.queued[row])
            identity = where.identity.of_first_token(queued=queued)
            measured = log_time(metric, value)
            reason = _untaught(case.run, quantity, identity, measured, physics, row)
            found.append(
                Observation(
                    case.run, metric, quantity, identity, where.features, measured, row, not reason, reason
                )
            )
    return found


def _untaught(
    run: Run, quantity: str, identity: Identity, measured: float, physics: Physics, row: int
) -> str:
    """Why a figure may not teach; empty where it may."""
    flags = sorted(run.flags & UNTAUGHT_FLAGS)
    if flags:
        return flags[0]
    if quantity == "throughput" and identity.serving not in OWN_THROUGHPUT:
        return "follows from TPOT and TTFT"
    if quantity == "tpot" and np.exp(measured) < PHYSICAL_SHARE * physics.floor[row]:
        return "below the floor of its bytes"
    serving = identity.serving
    loaded = quantity == "ttft" and serving in ("closed_loop", "saturated", "disaggregated")
    if loaded and np.exp(measured) < UNLOADED_SHARE * physics.unloaded[row]:
        return "first token before its own prefill"
    return ""


def without_copies(observations: Sequence[Observation]) -> tuple[list[Observation], int]:
    """Observations without copies: figures of one configuration closer than COPY are one measurement."""
    kept: list[Observation] = []
    seen: dict[tuple[object, ...], list[float]] = {}
    for one in observations:
        logs = seen.setdefault(configuration(one), [])
        if any(abs(one.log_measured - other) < COPY for other in logs):
            continue
        logs.append(one.log_measured)
        kept.append(one)
    return kept, len(observations) - len(kept)


def configuration(one: Observation) -> tuple[object, ...]:
    """What two runs of one configuration share: they lie on one side of every split."""
    chips = one.run.n_accelerators
    return (one.metric, one.identity, tuple(np.round(one.features, 3)), chips, one.run.kv_format)


def dataset_of(runs: Iterable[Run], table: EfficiencyTable) -> Dataset:
    """Cases and observations of runs under uncalibrated physics."""
    cases, left_out = cases_of(runs, table)
    physics = physics_of(cases, table)
    observations, copies = without_copies(observe(cases, physics))
    return Dataset(cases, physics, observations, left_out, copies)
