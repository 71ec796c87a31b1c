"""Measured figures beside their predictions, sliced by what was measured; the whole of it as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from estimates.measured.peers import PeerFigure
from estimates.measured.plausibility import FLOOR_SHARE, is_complete, tpot_at_most_s
from estimates.measured.predictions import Prediction
from estimates.measured.questions import Names
from estimates.measured.ranking import Ranking
from estimates.measured.runs import Run
from estimates.measured.scoring import VIEWS, Compared, Score, by_metric, by_slice, by_tier, score, score_of
from estimates.measured.software import software_key

NOT_STATED: Final = "not stated"
#: What rows can be sliced by: a column of the schema, or a property of what it names.
DIMENSIONS: Final = (
    "accelerator",
    "vendor",
    "generation",
    "framework",
    "software",
    "model",
    "weight_format",
    "kv_format",
    "serving",
    "scenario",
    "source",
    "n_accelerators",
    "tp",
    "pp",
    "ep",
    "dp",
    "isl",
    "osl",
    "concurrency",
    "grade",
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Figures without a prediction, for one reason."""

    code: str
    reason: str
    rows: int
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impossible:
    """A figure whose time per token is below what the memory of the chips allows, in ms."""

    run_id: str
    metric: str
    tpot_ms: float
    floor_ms: float


@dataclass(frozen=True, slots=True)
class AgainstPeer:
    """One tool's score and the estimator's on the rows where the tool answers."""

    tool: str
    metric: str
    view: str
    peer: Score
    ours: Score


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything that a validation says of a set of runs."""

    runs: int
    figures: int
    metrics: Mapping[str, Mapping[str, Score]]
    slices: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Score]]]]
    tiers: Mapping[str, Mapping[str, Mapping[str, Score]]]
    peers: Sequence[AgainstPeer] = ()
    refused: Sequence[Refused] = ()
    impossible: Sequence[Impossible] = ()
    rows: Sequence[Compared] = field(default=(), repr=False)
    ranking: Ranking | None = None

    def as_json(self) -> dict[str, Any]:
        """{metric: {view: score}}, and beside the metrics `slices`, `tiers`, the lists and `ranking`."""
        ranking = {} if self.ranking is None else {"ranking": self.ranking.as_json()}
        return {
            **_plain(self.metrics),
            "slices": _plain(self.slices),
            "tiers": _plain(self.tiers),
            "runs": self.runs,
            "figures": self.figures,
            "peers": [
                {
                    "tool": one.tool,
                    "metric": one.metric,
                    "view": one.view,
                    "peer": one.peer.as_json(),
                    "ours": one.ours.as_json(),
                }
                for one in self.peers
            ],
            "refused": [
                {"code": one.code, "reason": one.reason, "rows": one.rows, "runs": list(one.runs)}
                for one in self.refused
            ],
            "impossible": [
                {
                    "run_id": one.run_id,
                    "metric": one.metric,
                    "tpot_ms": one.tpot_ms,
                    "floor_ms": one.floor_ms,
                }
                for one in self.impossible
            ],
        } | ranking


def _plain(values: Any) -> Any:
    if isinstance(values, Score):
        return values.as_json()
    return {name: _plain(value) for name, value in values.items()}


def validation_of(
    runs: Sequence[Run],
    predictions: Iterable[Prediction],
    names: Names,
    by: Sequence[str] = (),
    peers: Iterable[PeerFigure] = (),
) -> Validation:
    """Score the predictions of these runs, sliced by each of `by` (among DIMENSIONS)."""
    found = list(predictions)
    rows = compared(runs, found, names)
    return Validation(
        runs=len(runs),
        figures=len(rows),
        metrics=by_metric(rows),
        slices={name: by_slice(rows, name) for name in by},
        tiers=by_tier(rows),
        peers=against_peers(rows, peers),
        refused=refused(found),
        impossible=impossible(runs, found),
        rows=rows,
    )


def compared(runs: Sequence[Run], predictions: Iterable[Prediction], names: Names) -> list[Compared]:
    """Each prediction with its measured value; a prediction of a figure that no run has is left out."""
    by_id = {run.run_id: run for run in runs}
    rows = []
    for prediction in predictions:
        run = by_id.get(prediction.run_id)
        measured = dict(run.metrics).get(prediction.metric) if run else None
        if run is None or measured is None:
            continue
        complete = is_complete(run)
        rows.append(
            Compared(
                run=run,
                metric=prediction.metric,
                measured=measured,
                predicted=prediction.predicted,
                low=prediction.low,
                high=prediction.high,
                tier=prediction.tier,
                complete=complete,
                plausible=complete and prediction.possible,
                saturated=prediction.state == "saturated",
                slices=slices_of(run, names) | {"grade": prediction.grade or NOT_STATED},
            )
        )
    return rows


def slices_of(run: Run, names: Names) -> dict[str, str]:
    """The value of every dimension of a run but those of its prediction."""
    vendor, generation = names.accelerators.get(run.accelerator or "", ("", ""))
    model = names.model(run.model)
    special = {
        "accelerator": run.accelerator or run.accelerator_as_printed,
        "vendor": vendor,
        "generation": generation,
        "software": software_key(run.framework) or run.framework,
        "model": model.slug if model else run.model,
    }
    stated: dict[str, Any] = {
        name: special[name] if name in special else getattr(run, name)
        for name in DIMENSIONS
        if name != "grade"
    }
    return {name: _word(value) for name, value in stated.items()}


def _word(value: Any) -> str:
    if value in (None, ""):
        return NOT_STATED
    return f"{value:g}" if isinstance(value, float) else str(value)


def refused(predictions: Iterable[Prediction]) -> list[Refused]:
    """The reasons why there is no prediction, the most frequent first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for prediction in predictions:
        if prediction.predicted is None:
            groups.setdefault((prediction.code, prediction.reason), []).append(prediction.run_id)
    found = [
        Refused(code, reason, len(ids), tuple(dict.fromkeys(ids))) for (code, reason), ids in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.rows, one.code, one.reason))


def impossible(runs: Sequence[Run], predictions: Iterable[Prediction]) -> list[Impossible]:
    """Figures below the floor of the bytes touched, those farthest below first."""
    by_id = {run.run_id: run for run in runs}
    found = []
    for prediction in predictions:
        if prediction.possible or prediction.floor_s is None or prediction.run_id not in by_id:
            continue
        run = by_id[prediction.run_id]
        longest = tpot_at_most_s(run, prediction.metric, dict(run.metrics)[prediction.metric])
        if longest is not None:
            floor = round(FLOOR_SHARE * prediction.floor_s * 1e3, 4)
            found.append(Impossible(run.run_id, prediction.metric, round(longest * 1e3, 4), floor))
    return sorted(found, key=lambda one: (one.tpot_ms / one.floor_ms, one.run_id))


def against_peers(rows: Sequence[Compared], peers: Iterable[PeerFigure]) -> list[AgainstPeer]:
    """Each tool and the estimator on the same rows: those where the tool answers, by metric and view."""
    by_key = {(row.run.run_id, row.metric): row for row in rows}
    groups: dict[tuple[str, str], list[tuple[Compared, float | None]]] = {}
    for figure in peers:
        row = by_key.get((figure.run_id, figure.metric))
        if row is not None:
            groups.setdefault((figure.tool, figure.metric), []).append((row, figure.value))
    found = []
    for (tool, metric), pairs in sorted(groups.items(), key=lambda item: item[0]):
        for view in VIEWS:
            seen = [pair for pair in pairs if view in pair[0].views]
            both = [row for row, value in seen if value is not None]
            if both:
                found.append(AgainstPeer(tool, metric, view, _peer_score(seen), score_of(both)))
    return found


def _peer_score(pairs: Sequence[tuple[Compared, float | None]]) -> Score:
    """A tool gives no interval."""
    none = [float("nan")] * len(pairs)
    values = [float("nan") if value is None else value for _, value in pairs]
    return score([row.measured for row, _ in pairs], values, none, none)
