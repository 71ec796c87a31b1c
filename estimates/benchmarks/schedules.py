"""`manage.py benchmark schedules`: runs per slot with two beats, clocks that jump, changes of the clocks."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from estimates.benchmarks.words import count


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--slots", type=count, default=10_000, help="least slots (10,000)")
    parser.add_argument("--beats", type=count, default=2, help="beats at once (2)")
    parser.add_argument("--seed", type=count, default=1, help="of the jumps of the clocks (1)")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """slots, runs, least and most runs per slot and more, on a database made for it and dropped again."""
    from django.db import connection

    from estimates.benchmarks.schedule_slots import try_slots
    from estimates.schedules.models import Schedule

    former = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"atlas_trial_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        Schedule.objects.all().delete()
        tried = try_slots(options["slots"], options["beats"], options["seed"])
    finally:
        connection.creation.destroy_test_db(former, verbosity=0)
    found = tried.to_dict()
    if not tried.exact:
        found["broken"] = ["a slot did not run exactly once"]
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """The trial for people."""
    return [
        f"{found['slots']:,} slots of {found['schedules']} schedules, {found['beats']} beats, "
        f"{found['ticks']} ticks, {found['jumps']} jumps of their clocks, {found['seconds']:.1f} s",
        f"{found['runs']:,} runs; per slot at least {found['least_runs_per_slot']}, "
        f"at most {found['most_runs_per_slot']}; {found['unexpected_runs']} that no slot asks for",
        f"of schedules that catch up with the latest alone: {found['latest_slots']:,} slots, "
        f"{found['latest_runs']:,} ran, {found['latest_covered']:,} covered, "
        f"{found['latest_unaccounted']} unaccounted for",
    ]
