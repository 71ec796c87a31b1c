"""How sure an opened row is: the error of the slice it belongs to, and the measured runs nearest to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from estimates.measured.software import software_titles
from estimates.pages.accuracy.plot import TIER_WORDS
from estimates.pages.accuracy.tables import METRIC_WORDS
from estimates.pages.numbers import significant

RESULTS: Final = {"tpot_ms": "TPOT", "ttft_ms": "TTFT", "throughput_tok_s": "Throughput"}
MOST_RUNS: Final = 4
#: Order of the words that say how a run compares: what is the same is said once, at the end.
SAME: Final = "same "


@dataclass(frozen=True)
class SliceLine:
    """The error of a result on the slice of measurements that the row belongs to."""

    result: str
    where: str
    rows: int
    median: str
    within: str
    covered: str
    url: str


@dataclass(frozen=True)
class MeasuredLine:
    """A measured run: how it compares, and each figure measured and predicted without it."""

    run_id: str
    same: str
    differs: str
    figures: list[tuple[str, str, str, str]]  # name and unit, measured, predicted, error
    source: str
    url: str
    date: str


@dataclass(frozen=True)
class Standing:
    tier: str
    slices: list[SliceLine]
    runs: list[MeasuredLine]


def standing_of(story: Mapping[str, Any]) -> Standing | None:
    """What an answer says of its accuracy; None where nothing has been calibrated or nothing runs."""
    accuracy = story.get("accuracy")
    if not accuracy:
        return None
    return Standing(
        tier=TIER_WORDS.get(accuracy["tier"], "") if accuracy["tier"] else "",
        slices=[_slice(name, accuracy[result]) for result, name in RESULTS.items() if accuracy.get(result)],
        runs=[_run(run) for run in story.get("evidence", [])[:MOST_RUNS]],
    )


def _slice(name: str, found: Mapping[str, Any]) -> SliceLine:
    titles = software_titles()
    parts = [titles.get(value, value) for value in found["slice"].values()]
    covered = found["coverage80_pct"]
    return SliceLine(
        result=name,
        where=" · ".join(parts) or "all measurements",
        rows=found["answered"],
        median=f"{found['median_ape_pct']:.1f}",
        within=f"{found['within20_pct']:.0f}",
        covered="" if covered is None else f"{covered:.0f}",
        url=found["url"],
    )


def _run(run: Mapping[str, Any]) -> MeasuredLine:
    same = [text.removeprefix(SAME) for text in run["compared"] if text.startswith(SAME)]
    return MeasuredLine(
        run_id=run["run_id"],
        same=", ".join(same),
        differs="; ".join(text for text in run["compared"] if not text.startswith(SAME)),
        figures=[_figure(figure) for figure in run["figures"]],
        source=run["source"] or "",
        url=run["source_url"] or "",
        date=run["source_date"] or "",
    )


def _figure(figure: Mapping[str, Any]) -> tuple[str, str, str, str]:
    _, name, unit = METRIC_WORDS.get(figure["metric"], ("", figure["metric"], ""))
    error = f"{figure['error_pct']:+.0f}%".replace("-", "−")
    return f"{name}, {unit}", significant(figure["measured"]), significant(figure["predicted"]), error
