"""`manage.py benchmark workers`: a full recalculation shared by more and more worker groups, and its limits.

Everything happens in a service of its own in a temporary directory: a private Postgres and Valkey, the whole
catalogue, and worker groups that are told two addresses and nothing else, as on machines of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from estimates.benchmarks.words import count


def group_counts(text: str) -> list[int]:
    """Counts of groups, comma-separated."""
    words = text.split(",")
    if not all(word.isdecimal() and 1 <= int(word) <= 64 for word in words):
        raise ArgumentTypeError(f"{text!r} is not accepted; accepted: numbers from 1 to 64, as in 1,2,3,4")
    return [int(word) for word in words]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--groups", type=group_counts, default=[1, 2, 3, 4], help="counts of worker groups (1,2,3,4)"
    )
    parser.add_argument("--processes", type=count, default=1, help="processes of a group (1)")
    parser.add_argument(
        "--models", type=count, default=40, help="language models recalculated on all hardware (40)"
    )


def run(options: dict[str, Any]) -> dict[str, Any]:
    """A point for each count of groups, the profile of one process, and what Postgres takes when only fed."""
    asked = {name: options[name] for name in ("groups", "processes", "models")}
    with tempfile.TemporaryDirectory(prefix="atlas-workers-") as directory:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ATLAS_") and name not in ("DATABASE_URL", "BROKER_URL", "DATABASE_NAME")
        }
        environment |= {
            "ATLAS_LOCAL_DIR": str(Path(directory) / "local"),
            "ATLAS_ENV": "development",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "estimates.benchmarks.scaling", json.dumps(asked)]
        ended = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE)
    if ended.returncode:
        raise CommandError(f"the measurement ended with {ended.returncode}, see above")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """The run for people: a line a point, where time goes, what Postgres takes, what limits."""
    catalogue, profile, stops = found["catalogue"], found["profile"], found["stops"]
    told = [
        f"{catalogue['models']} models x {catalogue['accelerators']} accelerators: "
        f"{catalogue['calculations']:,} calculations, {catalogue['configurations']:,} configurations, "
        f"{catalogue['rows']:,} rows; {found['machine']['cores']} cores, {found['machine']['cpu']}",
        "",
        "groups  processes  seconds  configs/s   rows/s    speedup   efficiency  worker cores  "
        "Postgres  busy",
    ]
    told += [
        f"{one['groups']:>6}  {one['processes']:>9}  {one['seconds']:>7.1f}  {one['configs_per_s']:>9,.0f}  "
        f"{one['rows_per_s']:>7,.0f}  {one['speedup']:>9.2f}  {one['efficiency']:>11.0%}  "
        f"{one['cores_workers']:>12.2f}  {one['cores_postgres']:>8.2f}  {one['machine_busy']:>4.0%}"
        for one in found["points"]
    ]
    told += ["", "share of the worker processes' time inside a statement of Postgres, and waiting there:"]
    told += [
        f"{one['groups']:>6} groups: "
        + ", ".join(f"{name} {share:.1%}" for name, share in one["statement_shares"].items())
        + f", planner {one['planner_share']:.1%}; "
        + ", ".join(f"{name} {share:.1%}" for name, share in one["wait_shares"].items())
        for one in found["points"]
    ]
    told += [
        "",
        f"one process, nobody beside it: {profile['configs_per_s']:,.0f} configurations/s; "
        + ", ".join(f"{name} {share:.1%}" for name, share in profile["shares"].items()),
        "one Postgres fed with ready results, nothing computed:",
    ]
    told += [
        f"{one['connections']:>6} connections: {one['rows_per_s']:,.0f} rows/s, "
        f"{one['wal_bytes_per_row']:,.0f} bytes of WAL a row, {one['cores_postgres']:.2f} cores in Postgres, "
        f"{one['rows_per_postgres_core_s']:,.0f} rows a second of its CPU"
        for one in found["feed"]
    ]
    return [*told, "", *stops["why"]]
