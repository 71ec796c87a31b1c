"""`manage.py sweep`: make what is stale or requested, here and now, without a broker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q

from estimates import sweeper


class Command(BaseCommand):
    help = "Make the calculations that are stale or that a run asks for, until none is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--run", type=int, help="only those that this run waits for")
        parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
        parser.add_argument("--quiet", action="store_true", help="print nothing")

    def handle(self, *args: Any, run: int | None, seconds: float, quiet: bool, **options: Any) -> None:
        done = sweeper.sweep(seconds, scope=Q() if run is None else Q(run=run))
        if not quiet:
            self.stdout.write(
                f"{done.calculations} calculations, {done.configurations} configurations, "
                f"{done.rows} rows written, {done.failed} failed, {done.seconds:.1f} s"
            )
