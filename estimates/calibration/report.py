"""The calibration's own report: scores on unseen rows and groups, what each stage buys, what each term does.

Everything is left out before it is scored; `validation_of` scores it, as it scores any file of measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.calibration.crossvalidation import FOLDS, TIMES, Scored
from estimates.calibration.dataset import Observation, physics_of
from estimates.calibration.learning import Learnt, residuals
from estimates.calibration.multipliers import prior_variances
from estimates.calibration.prior import components, offsets_only
from estimates.calibration.process import fit, folds_by, row_folds
from estimates.calibration.spread import LeftOut
from estimates.core.calibration import Calibration
from estimates.core.efficiency import EfficiencyTable
from estimates.core.identity import GROUP
from estimates.measured.comparison import validation_of
from estimates.measured.peers import PeerFigure
from estimates.measured.questions import Names
from estimates.measured.runs import Run
from estimates.measured.scoring import OTHER, OTHER_METRICS, score

Array = NDArray[np.floating]

SLICES: Final = ("accelerator", "software", "model", "weight_format", "serving", "scenario", "vendor")
#: Scatter about the physics where neither offsets nor sweeps are fitted.
UNEXPLAINED: Final = 0.25
WORST: Final = 10
LEAST_IN_GROUP: Final = 4
OFF: Final = -60.0  # logarithm of a factor that takes a time out

#: Term of the physics -> the multipliers or the coefficient that take it out.
ABLATIONS: Final[dict[str, tuple[str, ...]]] = {
    "starts of all kernels": ("product_start", "experts_start", "cache_start", "kernels", "reduce_start"),
    "starts of matrix products": ("product_start",),
    "small kernels": ("kernels",),
    "prefill interference": ("interference",),
    "all-reduce": ("reduce_wire", "reduce_start"),
    "starts of all-reduces": ("reduce_start",),
    "host": ("host_step", "host_sequence"),
    "elementwise traffic": ("elementwise",),
    "arithmetic of experts": ("experts_compute",),
}
TOP_K_ONLY: Final = "distinct experts (top-k alone read)"


def scores_of(
    scored: Sequence[Scored], fold: str, names: Names, peers: Iterable[PeerFigure]
) -> dict[str, Any]:
    """The scores of one fold, in the form of a validation."""
    rows = [one for one in scored if one.fold == fold]
    runs: dict[str, Run] = {}
    metrics: dict[str, list[tuple[str, float]]] = {}
    for one in rows:
        runs.setdefault(one.observation.run.run_id, one.observation.run)
        metrics.setdefault(one.observation.run.run_id, []).append((one.observation.metric_name, one.measured))
    kept = [replace(run, metrics=tuple(metrics[run_id])) for run_id, run in runs.items()]
    found = validation_of(kept, [one.prediction for one in rows], names, SLICES, list(peers))
    return found.as_json()


def stages(learnt: Learnt) -> list[dict[str, Any]]:
    """Scores with only the first stages of the calibration, on unseen rows and unseen groups."""
    found: list[dict[str, Any]] = []
    errors: dict[str, dict[str, tuple[Array, Array]]] = {}
    for metric, one in learnt.metrics.items():
        extra = (one.design * prior_variances(learnt.parameters)) @ one.design.T
        folds = row_folds(one.observations), folds_by(one.observations, GROUP)
        processes = {
            "physics with operator data": None,
            "+ multipliers": fit(one.observations, one.joint.target, (), extra, UNEXPLAINED),
            "+ shrunk offsets": fit(one.observations, one.joint.target, offsets_only(components()), extra),
            "+ interpolated sweeps": one.joint,
        }
        for stage, process in processes.items():
            left = (
                (one.before, one.before)
                if process is None
                else (process.left_out(folds[0])[0], process.left_out(folds[1])[0])
            )
            errors.setdefault(stage, {})[metric] = left
    for stage, by_metric in errors.items():
        found.append(
            {
                "stage": stage,
                "rows_out": _plain_scores(learnt, {m: left[0] for m, left in by_metric.items()}),
                "groups_out": _plain_scores(learnt, {m: left[1] for m, left in by_metric.items()}),
            }
        )
    return found


def headline(learnt: Learnt, splits: dict[str, list[LeftOut]]) -> dict[str, Any]:
    """Scores on unseen rows and unseen groups, as the calibration file carries them."""
    return {
        f"{fold}_out": _plain_scores(
            learnt,
            {metric: part.errors for metric, part in zip(learnt.metrics, splits[split], strict=True)},
        )
        for fold, split in FOLDS.items()
    }


def _plain_scores(learnt: Learnt, errors: dict[str, Array]) -> dict[str, Any]:
    """{published metric: score} of log errors, `other` pooled."""
    ratios: dict[str, list[float]] = {}
    for metric, values in errors.items():
        for one, error in zip(learnt.metrics[metric].observations, values, strict=True):
            ratio = float(np.exp(-error if one.metric_name in TIMES else error))
            ratios.setdefault(one.metric_name, []).append(ratio)
            if one.metric_name in OTHER_METRICS:
                ratios.setdefault(OTHER, []).append(ratio)
    nothing = [np.nan]
    return {
        name: score(np.ones(len(found)), found, nothing * len(found), nothing * len(found)).as_json()
        for name, found in sorted(ratios.items())
    }


def ablation(learnt: Learnt, table: EfficiencyTable) -> list[dict[str, Any]]:
    """TPOT error of closed loops without a term: of the bare physics, and after the rest is fitted again."""
    metric = learnt.metrics.get("tpot")
    if metric is None:
        return []
    kept = [one for one in metric.observations if one.identity.serving == "closed_loop"]
    if len(kept) < LEAST_IN_GROUP:
        return []
    whole = _tpot_error(learnt, kept, table)
    found = [{"term": "nothing taken out", "tpot_mape_before": whole[0], "tpot_mape_after": whole[1]}]
    tables = {
        term: replace(
            table,
            calibration=Calibration("", "", {(name, "any", ""): OFF for name in families}, None, None),
        )
        for term, families in ABLATIONS.items()
    }
    skewed = {key: 1e-9 for key in table.coefficients if key[0] == "routing_skew"}
    tables[TOP_K_ONLY] = replace(table, coefficients=table.coefficients | skewed, cache={})
    for term, changed in tables.items():
        before, after = _tpot_error(learnt, kept, changed)
        found.append({"term": term, "tpot_mape_before": before, "tpot_mape_after": after})
    return found


def _tpot_error(learnt: Learnt, kept: list[Observation], table: EfficiencyTable) -> tuple[float, float]:
    target = residuals(kept, learnt.dataset, physics_of(learnt.dataset.cases, table))
    left, _ = fit(kept, target, components()).left_out(folds_by(kept, GROUP))
    return _mape(target), _mape(left)


def _mape(errors: Array) -> float:
    return round(100 * float(np.mean(np.abs(np.expm1(-errors)))), 2)


def worst_groups(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """The groups with the largest mean error when they are left out whole, and what is known of them."""
    members: dict[tuple[str, ...], list[Scored]] = {}
    for one in scored:
        if one.fold == "groups":
            members.setdefault((one.observation.metric_name, *one.observation.group[1:]), []).append(one)
    found: list[dict[str, Any]] = []
    for rows in members.values():
        if len(rows) < LEAST_IN_GROUP:
            continue
        ratios = np.array([(one.prediction.predicted or 0) / one.measured for one in rows])
        first = rows[0].observation
        tiers = sorted({one.prediction.tier for one in rows})
        found.append(
            {
                "metric": first.metric_name,
                "accelerator": first.run.accelerator,
                "software": first.identity.software,
                "model": first.run.model,
                "format": first.identity.format,
                "serving": first.identity.serving,
                "rows": len(rows),
                "mape_pct": round(100 * float(np.abs(ratios - 1).mean()), 1),
                "bias_pct": round(100 * float((ratios - 1).mean()), 1),
                "known": _known(ratios, tiers, rows),
            }
        )
    return sorted(found, key=lambda row: -row["mape_pct"])[:WORST]


def _known(ratios: Array, tiers: list[str], rows: list[Scored]) -> str:
    """In words: what evidence there was, whether the error is one offset or scatter, which versions ran."""
    logs = np.log(ratios)
    evidence = {"measured": "the group itself", "kin": "kin measured", "none": "no kin measured"}
    middle, scatter = float(np.median(logs)), float(np.std(logs - np.median(logs)))
    kind = "one offset" if abs(middle) > scatter else "scatter within the group"
    versions = sorted({one.observation.run.framework_version or "not stated" for one in rows})
    shown = ", ".join(versions[:3]) + (" and others" if len(versions) > 3 else "")
    return (
        f"{' and '.join(evidence[tier] for tier in tiers)}; {kind}: median ratio {np.exp(middle):.2f}, "
        f"scatter {scatter:.2f} in logarithm; software version {shown}"
    )


def report(
    learnt: Learnt,
    scored: Sequence[Scored],
    table: EfficiencyTable,
    names: Names,
    peers: Sequence[PeerFigure],
    made: str,
) -> dict[str, Any]:
    """The whole report."""
    return {
        "made": made,
        "measurements": {
            "runs": len(learnt.dataset.cases),
            "figures": len(learnt.dataset.observations),
            "taught": sum(len(one.observations) for one in learnt.metrics.values()),
            "copies_removed": learnt.dataset.copies_removed,
            "left_out": dict(sorted(learnt.dataset.left_out.items())),
        },
        **{f"{fold}_out": scores_of(scored, fold, names, peers) for fold in FOLDS},
        "stages": stages(learnt),
        "ablation": ablation(learnt, table),
        "worst_groups": worst_groups(scored),
    }
