"""The calibration's report as a page of Markdown: what it says of rows and groups that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from estimates.measured.scoring import OTHER, OTHER_METRICS

FOLDS: Final = {"rows_out": "rows", "groups_out": "groups"}
#: Metrics of the tables that have many rows, and what the page calls them.
SHOWN: Final = {"tpot_ms": "TPOT", "ttft_ms": "first token", OTHER: "rates"}
SLICES: Final = ("accelerator", "software", "model")
TIERS: Final = {"measured": "its group measured", "kin": "kin measured", "none": "neither"}
LEAST_ROWS: Final = 20  # figures of a slice that is listed
VIEWS: Final = {"complete": "", "plausible": ", plausible", "below_capacity": ", below capacity"}
COLUMNS: Final = ("rows", "MAPE", "median", "bias", "within 20%", "80% interval holds", "high / low")

Scores = Mapping[str, Any]


def markdown(report: Mapping[str, Any], command: str) -> str:
    """The page of a report; `command` is what makes it. Every figure in it is the report's."""
    parts = [
        _opening(report, command),
        _headline(report),
        _peers(report),
        _stages(report["stages"]),
        _ablation(report["ablation"]),
        _tiers(report),
        *(_slices(report, by) for by in SLICES),
        _worst(report["worst_groups"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(report: Mapping[str, Any], command: str) -> str:
    counts = report["measurements"]
    left_out = ", ".join(f"{_word(code)} {count:,}" for code, count in counts["left_out"].items())
    lines = [
        "# Accuracy",
        "",
        f"Made on {report['made']} by",
        "",
        f"    {command}",
        "",
        f"{counts['figures']:,} figures of {counts['runs']:,} published runs, {counts['copies_removed']:,} "
        f"copies of one measurement removed; {counts['taught']:,} figures taught.",
    ]
    if left_out:
        lines.append(f"Runs that cannot be asked about, by the missing fact: {left_out}.")
    lines += [
        "",
        "Every prediction here was made without what it predicts: without the row (five folds, runs of one "
        "configuration on one side), or without its whole group: chip, software, architecture, format and "
        "serving. Checkpoints of one shape are one architecture. The interval is what the other half of the "
        "runs gives. Figures that may not teach are predicted once, by all that did.",
        "",
        "Errors are (predicted - measured) / measured, in per cent. Complete rows: without the flags that "
        "set runs apart; plausible: of those, what the datasheet's bandwidth allows; below capacity: the "
        f"estimate is not saturated. {SHOWN[OTHER].capitalize()} pool {', '.join(OTHER_METRICS)}.",
    ]
    return "\n".join(lines)


# ---- Tables ----------------------------------------------------------------------------------------------


def _headline(report: Mapping[str, Any]) -> str:
    rows = []
    for fold, name in FOLDS.items():
        for metric, views in _metrics(report[fold]):
            shown: set[int] = set()
            for view, suffix in VIEWS.items():
                score = views.get(view)
                if score is None or not score["answered"] or score["rows"] in shown:
                    continue
                shown.add(score["rows"])
                rows.append((name, metric + suffix, *_whole(score)))
    return _section("What was left out", _table(("left out", "metric", *COLUMNS), rows))


def _whole(score: Scores) -> Iterator[str]:
    yield f"{score['answered']:,}"
    for name in ("mape_pct", "median_ape_pct"):
        yield _number(score[name])
    yield _number(score["bias_pct"], "{:+.1f}")
    for name in ("within20_pct", "coverage80_pct"):
        yield _number(score[name])
    yield _number(score["interval_ratio"], "{:.2f}")


def _peers(report: Mapping[str, Any]) -> str:
    """Other tools beside ours, on the complete rows that they answer."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for fold in FOLDS:
        for row in report[fold].get("peers") or ():
            if row["view"] == "complete" and row["peer"]["answered"]:
                line = found.setdefault((row["tool"], row["metric"]), {"peer": row["peer"]})
                line[fold] = row["ours"]
    rows = [
        (
            tool,
            metric,
            f"{line['peer']['answered']:,} of {line['peer']['rows']:,}",
            _three(line["peer"]),
            *(_three(line.get(fold)) for fold in FOLDS),
        )
        for (tool, metric), line in found.items()
    ]
    if not rows:
        return ""
    head = ("tool", "metric", "answers", "its error", "ours, rows left out", "ours, groups left out")
    note = "MAPE / median / share within 20%, on the complete rows that the tool answers."
    return _section("Beside other tools, on the same rows", note, _table(head, rows))


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    head = ("stage", *(f"{name}, {fold}" for name in SHOWN.values() for fold in FOLDS.values()))
    rows = [
        (one["stage"], *(_two(one[fold].get(metric)) for metric in SHOWN for fold in FOLDS)) for one in stages
    ]
    note = (
        "MAPE / median of all that taught, with only so much of the calibration. "
        "Before the lean (method.md, section 9)."
    )
    return _section("What each stage buys", note, _table(head, rows)) if rows else ""


def _ablation(terms: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (one["term"], _number(one["tpot_mape_before"], "{:.2f}"), _number(one["tpot_mape_after"], "{:.2f}"))
        for one in terms
    ]
    head = ("without", "by the physics alone", "groups left out, the rest fitted again")
    note = "MAPE of TPOT in closed loops when one term of the physics is taken out."
    return _section("What each term does", note, _table(head, rows)) if rows else ""


def _tiers(report: Mapping[str, Any]) -> str:
    rows = [
        (fold_name, TIERS.get(tier, tier), name, *_whole(score))
        for fold, fold_name in FOLDS.items()
        for tier in (*TIERS, *(found for found in report[fold]["tiers"] if found not in TIERS))
        for metric, name in SHOWN.items()
        if (score := _complete(report[fold]["tiers"].get(tier, {}).get(metric)))
    ]
    return _section("By what was known", _table(("left out", "tier", "metric", *COLUMNS), rows))


def _slices(report: Mapping[str, Any], by: str) -> str:
    parts = {fold: report[fold]["slices"].get(by, {}) for fold in FOLDS}
    values = list(dict.fromkeys(value for part in parts.values() for value in part))
    rows, fewer = [], 0
    for value in values:
        cells: list[str] = []
        most = 0
        for metric in SHOWN:
            scores = [_complete(parts[fold].get(value, {}).get(metric)) for fold in FOLDS]
            counts = [score["answered"] for score in scores if score]
            most = max([most, *counts])
            cells += [f"{max(counts):,}" if counts else "", *(_held(score) for score in scores)]
        if most >= LEAST_ROWS:
            rows.append((value, *cells))
        else:
            fewer += 1
    head = (by, *(cell for name in SHOWN.values() for cell in (name, *FOLDS.values())))
    note = "Complete rows; for rows and for groups left out: MAPE / median / share in the 80% interval."
    if fewer:
        note += f" {fewer} with fewer than {LEAST_ROWS} figures of each metric are not listed."
    return _section(f"By {by}", note, _table(head, rows)) if rows else ""


def _worst(groups: Sequence[Mapping[str, Any]]) -> str:
    names = ("metric", "accelerator", "software", "model", "format", "serving")
    rows = [
        (
            *(str(one[name]) for name in names),
            f"{one['rows']:,}",
            _number(one["mape_pct"]),
            _number(one["bias_pct"], "{:+.1f}"),
            one["known"],
        )
        for one in groups
    ]
    note = "Groups with the largest mean error when they are left out whole."
    head = (*names, "rows", "MAPE", "bias", "what is known")
    return _section("The worst groups", note, _table(head, rows)) if rows else ""


# ---- Cells -----------------------------------------------------------------------------------------------


def _metrics(fold: Mapping[str, Any]) -> Iterator[tuple[str, Scores]]:
    """(name, {view: score}) of the metrics of a fold: those shown first, in their order."""
    known = [name for name in SHOWN if name in fold]
    others = [name for name, value in fold.items() if name not in SHOWN and _is_metric(value)]
    for name in (*known, *others):
        yield SHOWN.get(name, name), fold[name]


def _is_metric(value: Any) -> bool:
    return isinstance(value, Mapping) and "complete" in value


def _complete(views: Scores | None) -> Scores | None:
    score = views.get("complete") if views else None
    return score if score and score["answered"] else None


def _cells(score: Scores | None, names: Iterable[str]) -> str:
    if not score or not score.get("answered"):
        return ""
    return " / ".join(_number(score[name]) for name in names)


def _two(score: Scores | None) -> str:
    return _cells(score, ("mape_pct", "median_ape_pct"))


def _three(score: Scores | None) -> str:
    return _cells(score, ("mape_pct", "median_ape_pct", "within20_pct"))


def _held(score: Scores | None) -> str:
    return _cells(score, ("mape_pct", "median_ape_pct", "coverage80_pct"))


def _number(value: float | None, shape: str = "{:.1f}") -> str:
    return "" if value is None else shape.format(value)


def _word(code: str) -> str:
    return code.replace("_", " ")


def _section(title: str, *parts: str) -> str:
    return "\n\n".join((f"## {title}", *(part for part in parts if part)))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
