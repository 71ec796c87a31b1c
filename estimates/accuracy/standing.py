"""How far an estimate is to be trusted: the error of the slice it belongs to, the nearest measured runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from estimates.accuracy.evidence import Asked, evidence_for
from estimates.accuracy.measured_runs import shape_key
from estimates.accuracy.report import Report, current
from estimates.accuracy.scores import score_of
from estimates.core.estimate import Estimate
from estimates.core.facts import ModelFacts, Workload
from estimates.core.parameters import count_parameters
from estimates.from_catalog import Datasheet, Shape
from estimates.measured.scoring import Score
from estimates.measured.software import software_key

#: A result of an estimate -> the measured metrics that judge it.
JUDGED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "tpot_ms": ("tpot_ms", "decode_tok_s_per_user"),
    "ttft_ms": ("ttft_ms",),
    "throughput_tok_s": ("output_tok_s_total", "output_tok_s_per_accel", "total_tok_s"),
}
#: From the narrowest slice to the widest: the first with enough rows is the estimate's.
SLICES: Final = (
    ("accelerator", "software", "weight_format", "serving"),
    ("accelerator", "software"),
    ("accelerator",),
    ("software", "weight_format", "serving"),
    ("software",),
    (),
)
ENOUGH_ROWS: Final = 30
MOST_RUNS: Final = 6
PAGE, API = "/accuracy/", "/api/v1/accuracy"


def standing(
    estimate: Estimate, model: ModelFacts, workload: Workload, sheet: Datasheet, shape: Shape
) -> dict[str, Any]:
    """`accuracy` and `evidence` of an answer; empty where nothing runs, None where nothing is calibrated."""
    report = current()
    if report is None or estimate.tpot_s is None:
        return {"accuracy": None, "evidence": []}
    asked = asked_of(estimate, model, workload, sheet, shape)
    return {
        "accuracy": accuracy(report, asked, tier_of(estimate)),
        "evidence": evidence_for(report, asked, tuple(JUDGED_BY.values()))[:MOST_RUNS],
    }


def tier_of(estimate: Estimate) -> str:
    """The novelty tier; empty where the estimate has none."""
    return getattr(estimate, "tier", None) or ""


def asked_of(
    estimate: Estimate, model: ModelFacts, workload: Workload, sheet: Datasheet, shape: Shape
) -> Asked:
    """The estimate in the words that measured runs are described with."""
    deployment = estimate.deployment

    def size(name: str) -> float | None:
        value = deployment.get(name)
        return float(value) if isinstance(value, int | float) else None

    return Asked(
        accelerator=sheet.slug,
        model=model.slug,
        shape=shape_key(model.architecture),
        active_parameters=float(count_parameters(model.architecture).active),
        vendor=sheet.vendor,
        generation=sheet.generation,
        kind=sheet.kind,
        software=software_key(str(deployment.get("software") or "")) or "",
        weight_format=str(deployment.get("weights") or ""),
        serving="disaggregated" if deployment.get("prefill") else "aggregated",
        count=float(shape.count),
        tp=size("tp"),
        isl=workload.isl,
        osl=workload.osl,
        concurrency=estimate.concurrency,
    )


def accuracy(report: Report, asked: Asked, tier: str) -> dict[str, Any]:
    """The error on measurements that stand to the estimator as this estimate does, by result."""
    found: dict[str, Any] = {"tier": tier or None}
    for result, metrics in JUDGED_BY.items():
        found[result] = _slice(report, asked, tier, metrics)
    return found


def _slice(report: Report, asked: Asked, tier: str, metrics: tuple[str, ...]) -> dict[str, Any] | None:
    """The narrowest slice of the tier with enough rows, else the widest that has any."""
    best: tuple[tuple[str, ...], str, Score] | None = None
    for names in SLICES:
        key = tuple((name, getattr(asked, name)) for name in names)
        if not all(value for _, value in key):
            continue
        for metric in metrics:
            score = _scored(report, key, tier, metric)
            if score.answered:
                best = names, metric, score
            if score.answered >= ENOUGH_ROWS:
                return _described(best or (names, metric, score), asked, tier)
    return _described(best, asked, tier) if best else None


@lru_cache(maxsize=4096)
def _scored(report: Report, key: tuple[tuple[str, str], ...], tier: str, metric: str) -> Score:
    wanted = {name: [value] for name, value in key} | fold_of(tier) | {"metric": [metric]}
    return score_of(report.predictions, report.predictions.select(wanted))


def fold_of(tier: str) -> dict[str, list[str]]:
    """Rows of measured groups are left out one by one, whole groups where nothing alike was measured."""
    if not tier:
        return {"fold": ["groups"]}
    return {"tier": [tier], "fold": ["rows" if tier == "measured" else "groups"]}


def _described(found: tuple[tuple[str, ...], str, Score], asked: Asked, tier: str) -> dict[str, Any]:
    names, metric, score = found
    filters = {name: getattr(asked, name) for name in names}
    query = urlencode(
        {"metric": metric, **{name: values[0] for name, values in fold_of(tier).items()}, **filters}
    )
    return {
        "metric": metric,
        "slice": filters,
        **score.as_json(),
        "url": f"{PAGE}?{query}",
        "api": f"{API}?{query}",
    }
