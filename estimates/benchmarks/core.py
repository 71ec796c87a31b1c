"""`manage.py benchmark core`: configurations a second, peak memory and a search's latency of the core."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from estimates.benchmarks.words import count

if TYPE_CHECKING:
    from estimates.core.demand import Candidate
    from estimates.core.facts import ModelFacts, Workload


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--models", type=count, default=40, help="most models (40)")
    parser.add_argument("--offers", type=count, default=300, help="most offers (300)")
    parser.add_argument(
        "--catalogue", action="store_true", help="the catalogue's facts in place of made-up ones"
    )


def run(options: dict[str, Any]) -> dict[str, Any]:
    """configs_per_s, peak_mb, search_p50_ms and more, of made-up facts or the catalogue's."""
    from estimates.benchmarks.edits import measure_edits
    from estimates.benchmarks.grid import measure
    from estimates.benchmarks.searches import measure_searches
    from estimates.core.calibration import InvalidCalibration
    from estimates.core.efficiency import InvalidEfficiency, load_efficiency

    asked, candidates, workloads = facts_of(options["catalogue"], options["models"], options["offers"])
    if not (asked and candidates and workloads):
        raise CommandError("the catalogue has no facts to evaluate; `manage.py load_catalog` loads it")
    try:
        efficiency = load_efficiency()
    except (InvalidEfficiency, InvalidCalibration) as error:
        raise CommandError(str(error)) from None
    offers = [one.offer for one in candidates]
    found = measure(asked, offers, workloads, efficiency)
    edited = measure_edits(asked, offers, workloads, efficiency)
    searched = measure_searches(asked, candidates, workloads[0], efficiency)
    facts = "catalogue" if options["catalogue"] else "made up"
    return {**asdict(found), **asdict(edited), **asdict(searched), "facts": facts}


def facts_of(
    from_catalogue: bool, models: int, offers: int
) -> tuple[list[ModelFacts], list[Candidate], list[Workload]]:
    """Models, offers with their prices, and workloads to evaluate."""
    from estimates.benchmarks import catalogue, made_up, made_up_models

    if from_catalogue:
        return catalogue.facts(models, offers)
    return made_up_models.models()[:models], made_up.candidates(offers), list(made_up.WORKLOADS)


def lines(found: dict[str, Any]) -> list[str]:
    """The run for people: a line a model, the whole, the machine."""
    return [
        *(
            f"{one['model']}: {one['rows']:,} rows, {one['configurations']:,} configurations, "
            f"{one['seconds']:.2f} s CPU"
            for one in found["by_model"]
        ),
        f"{found['configurations']:,} configurations in {found['seconds']:.2f} s CPU: "
        f"{found['configs_per_s']:,.0f} a second on one core, intervals and breakdowns of "
        f"{found['rows']:,} rows included",
        f"an edit of a chip, mean of {found['edited_chips']}: {found['edit_ms_together']:.1f} ms CPU a model "
        f"with all models in one call, {found['edit_ms_alone']:.1f} ms in a call each: "
        f"{found['together_ratio']:.1f} times",
        f"a search of one model over {found['search_candidates']} offers: {found['search_p50_ms']:.0f} ms in "
        f"the median of {found['searches']} models, {found['search_p95_ms']:.0f} ms at the 95th percentile",
        f"{found['peak_mb']:,.0f} MB at most; {found['models']} models x {found['offers']} offers x "
        f"{found['workloads']} workloads; {found['cpu']}, Python {found['python']}, NumPy {found['numpy']}",
    ]
