"""`manage.py benchmark core`: configurations a second, peak memory and a search's latency of the core."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from estimates.benchmarks import catalogue, made_up, made_up_models
from estimates.benchmarks.grid import Measured, measure
from estimates.benchmarks.searches import Searched, measure_searches
from estimates.core.calibration import InvalidCalibration
from estimates.core.demand import Candidate
from estimates.core.efficiency import InvalidEfficiency, load_efficiency
from estimates.core.facts import ModelFacts, Workload


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not accepted; accepted: a whole number of at least 1")
    return int(text)


class Command(BaseCommand):
    help = "Measure the speed of the core's grid on one thread of one process; nothing is stored."
    requires_system_checks = []  # made-up facts need no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["core"])
        parser.add_argument("--models", type=count, default=40, help="most models (40)")
        parser.add_argument("--offers", type=count, default=300, help="most offers (300)")
        parser.add_argument(
            "--catalogue", action="store_true", help="the catalogue's facts in place of made-up ones"
        )
        parser.add_argument(
            "--json", action="store_true", help="configs_per_s, peak_mb, search_p50_ms and more"
        )

    def handle(
        self, *args: Any, models: int, offers: int, catalogue: bool, json: bool, **options: Any
    ) -> None:
        asked, candidates, workloads = facts_of(catalogue, models, offers)
        if not (asked and candidates and workloads):
            raise CommandError("the catalogue has no facts to evaluate; `manage.py load_catalog` loads it")
        try:
            efficiency = load_efficiency()
        except (InvalidEfficiency, InvalidCalibration) as error:
            raise CommandError(str(error)) from None
        found = measure(asked, [one.offer for one in candidates], workloads, efficiency)
        searched = measure_searches(asked, candidates, workloads[0], efficiency)
        if json:
            values = {
                **found.to_dict(),
                **searched.to_dict(),
                "facts": "catalogue" if catalogue else "made up",
            }
            self.stdout.write(orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())
            return
        for line in lines(found, searched):
            self.stdout.write(line)


def facts_of(
    from_catalogue: bool, models: int, offers: int
) -> tuple[list[ModelFacts], list[Candidate], list[Workload]]:
    """Models, offers with their prices, and workloads to evaluate."""
    if from_catalogue:
        return catalogue.facts(models, offers)
    return made_up_models.models()[:models], made_up.candidates(offers), list(made_up.WORKLOADS)


def lines(found: Measured, searched: Searched) -> list[str]:
    """The run for people: a line a model, the whole, the machine."""
    return [
        *(
            f"{one.model}: {one.rows:,} rows, {one.configurations:,} configurations, {one.seconds:.2f} s CPU"
            for one in found.by_model
        ),
        f"{found.configurations:,} configurations in {found.seconds:.2f} s CPU: "
        f"{found.configs_per_s:,.0f} a second on one core, intervals and breakdowns of {found.rows:,} rows "
        "included",
        f"a search of one model over {searched.search_candidates} offers: {searched.search_p50_ms:.0f} ms in "
        f"the median of {searched.searches} models, {searched.search_p95_ms:.0f} ms at the 95th percentile",
        f"{found.peak_mb:,.0f} MB at most; {found.models} models x {found.offers} offers x "
        f"{found.workloads} workloads; {found.cpu}, Python {found.python}, NumPy {found.numpy}",
    ]
