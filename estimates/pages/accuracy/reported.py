"""The tables of the accuracy page that the calibration wrote: stages, ablation, worst groups, peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from estimates.accuracy.report import Report, headline, peers, worst_groups
from estimates.measured.scoring import Score
from estimates.pages.accuracy.question import AccuracyQuestion
from estimates.pages.accuracy.tables import METRIC_WORDS, ScoreLine, named, pct, score_line
from estimates.pages.chart import per_cent


@dataclass(frozen=True)
class Change:
    """An error before and after: a stage of the calibration, or a term of the physics left out."""

    name: str
    cells: list[tuple[str, str]]  # (text, bar)


STAGE_COLUMNS: Final = (
    ("rows_out", "tpot_ms"),
    ("rows_out", "ttft_ms"),
    ("groups_out", "tpot_ms"),
    ("groups_out", "ttft_ms"),
)


def stage_lines(report: Report) -> list[Change]:
    """The mean error after each stage of the calibration: TPOT and TTFT, rows and groups left out."""
    stages = report.part("stages") or []
    found = []
    most = {
        place: max((_mape(stage, *place) or 0.0 for stage in stages), default=0.0) for place in STAGE_COLUMNS
    }
    for stage in stages:
        cells = [(_mape(stage, *place), most[place]) for place in STAGE_COLUMNS]
        found.append(
            Change(str(stage.get("stage", "")), [(pct(value), _share(value, top)) for value, top in cells])
        )
    return found


def _mape(stage: Mapping[str, Any], fold: str, metric: str) -> float | None:
    """The MAPE of a stage: of all its rows, else of complete ones, where it tells them apart."""
    found: Any = (stage.get(fold) or {}).get(metric) or {}
    for inner in ("complete", "all"):
        if isinstance(found.get(inner), Mapping):
            found = found[inner]
    value = found.get("mape_pct")
    return float(value) if isinstance(value, int | float) else None


def ablation_lines(report: Report) -> list[Change]:
    """The mean error of TPOT without each term, the dearest first: of the physics alone, and fitted again.

    The cost is the last one's over that of the whole model, the first row of the report.
    """
    rows = [
        (str(row.get("term", "")), row.get("tpot_mape_before"), row.get("tpot_mape_after"))
        for row in report.part("ablation") or []
    ]
    if not rows:
        return []
    (_, _, whole), *taken_out = rows
    taken_out.sort(key=lambda row: -(row[2] or 0.0))
    costs = [(after or 0.0) - (whole or 0.0) for _, _, after in taken_out]
    most = max(map(abs, costs), default=0.0)
    found = [Change(rows[0][0], [(pct(rows[0][1]), ""), (pct(whole), ""), ("", "")])]
    for (term, before, after), cost in zip(taken_out, costs, strict=True):
        text = f"{cost:+.1f}".replace("-", "\N{MINUS SIGN}")
        found.append(Change(term, [(pct(before), ""), (pct(after), ""), (text, _share(abs(cost), most))]))
    return found


@dataclass(frozen=True)
class WorstGroup:
    """A group with a large error, what is known of it, and the question that shows its rows."""

    metric: str
    what: str
    where: str
    rows: int
    mape: str
    bias: str
    known: str
    address: str


def worst_lines(report: Report, names: Mapping[str, str]) -> list[WorstGroup]:
    """The ten worst groups as the calibration found them."""
    values = report.predictions.values
    found = []
    for group in worst_groups(report):
        place = {
            "accelerator": group.get("accelerator") or "",
            "software": group.get("software") or "",
            "model": group.get("model") or "",
            "weight_format": group.get("format") or "",
            "serving": group.get("serving") or "",
            "metric": group.get("metric") or "",
        }
        known = {name: value for name, value in place.items() if value in values[name]}
        said = (names.get(place["software"], place["software"]), place["weight_format"], place["serving"])
        found.append(
            WorstGroup(
                metric=METRIC_WORDS.get(place["metric"], ("", place["metric"], ""))[1],
                what=f"{named(names, place['model'])} on {named(names, place['accelerator'])}",
                where=" · ".join(part for part in said if part),
                rows=int(group.get("rows") or 0),
                mape=pct(group.get("mape_pct"), 0),
                bias=f"{group.get('bias_pct') or 0:+.0f}".replace("-", "−"),
                known=group.get("known") or "",
                address=AccuracyQuestion().address(**known, apart="1"),
            )
        )
    return found


@dataclass(frozen=True)
class PeerLine:
    """An estimator on the rows that one of the others answers."""

    name: str
    metric: str
    ours: bool
    line: ScoreLine


def peer_lines(report: Report) -> list[PeerLine]:
    """Other estimators, each followed by ours on the rows that it answers, by what was left out."""
    found = []
    for row in peers(report):
        metric = METRIC_WORDS.get(row["metric"], ("", row["metric"].replace("_", " "), ""))[1]
        found.append(PeerLine(row["tool"], metric, False, _reported(row["peer"])))
        for fold, score in row["ours"].items():
            name = f"Inference Atlas, {fold} left out"
            found.append(PeerLine(name, metric, True, _reported(score)))
    return found


#: Order of systems -> how its predictions were made.
ORDER_WORDS: Final = {
    "in_sample": "in sample",
    "rows": "row left out",
    "groups": "group left out",
    "search": "as a search finds them",
}


@dataclass(frozen=True)
class RankLine:
    """How far an order of systems is the measured one, over all groups of a view."""

    view: str
    order: str
    groups: int
    pairs: int
    noise_pairs: int
    tau: str


def rank_lines(report: Report) -> list[RankLine]:
    """Kendall's tau by view and order; empty where no validation has written it."""
    found = []
    for row in (report.part("ranking") or {}).get("means", ()):
        tau = "" if row["tau"] is None else f"{row['tau']:.2f}".replace("-", "−")
        order = ORDER_WORDS.get(row["order"], row["order"])
        found.append(RankLine(row["view"], order, row["groups"], row["pairs"], row["noise_pairs"], tau))
    return found


def _reported(score: Mapping[str, Any]) -> ScoreLine:
    """A score as the report has it; whatever it holds beside what is printed here is left alone."""
    known: dict[str, Any] = {name: score.get(name) for name in Score.__dataclass_fields__}
    return score_line("", "", Score(**known))


def plausible_line(report: Report) -> ScoreLine | None:
    """TPOT with groups left out on physically plausible rows alone, where the report tells them apart."""
    found = headline(report)["groups"].get("tpot_ms", {}).get("plausible")
    if not isinstance(found, Mapping) or not found.get("answered"):
        return None
    return _reported(found)


def _share(value: float | None, most: float) -> str:
    return per_cent(min((value or 0.0) / most, 1.0)) if most else "0%"
