"""`manage.py schedules [--run-now SLUG | --tick]`: what runs by the clock, when next, how it ended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from config.rest.faults import nearest
from estimates.schedules import ledger, slots
from estimates.schedules.models import Schedule, ScheduledRun, ScheduledRunState
from estimates.schedules.tick import tick as tick_once
from estimates.schedules.tick import work_on


class Command(BaseCommand):
    help = "List schedules with their next slot; run one here and now; or tick once, as beat has workers do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--run-now", metavar="SLUG", help="run this schedule here and wait for the end")
        what.add_argument("--tick", action="store_true", help="open the slots that are due and work on them")
        parser.add_argument("--json", action="store_true", help="JSON in place of lines")

    def handle(self, *args: Any, run_now: str | None, tick: bool, json: bool, **options: Any) -> None:
        if run_now is not None:
            self._show(self._run(run_now), json)
        elif tick:
            self._show(self._tick(), json)
        else:
            self._show([described(schedule) for schedule in Schedule.objects.all()], json)

    def _show(self, found: Any, json: bool) -> None:
        if json:
            self.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str).decode())
            return
        for row in found if isinstance(found, list) else [found]:
            self.stdout.write(
                "  ".join(f"{name} {value}" for name, value in row.items() if value is not None)
            )

    def _tick(self) -> dict[str, int]:
        done = tick_once()
        return {"opened": done.opened, "done": done.done, "failed": done.failed}

    def _run(self, slug: str) -> dict[str, Any]:
        schedule = Schedule.objects.filter(slug=slug).first()
        if schedule is None:
            known = list(Schedule.objects.values_list("slug", flat=True))
            near = nearest(slug, known) or known
            raise CommandError(
                f"there is no schedule {slug!r}; accepted: {', '.join(near) or 'none is known'}"
            )
        run = ledger.run_now(schedule, hint=False)
        for claim in ledger.claim(only=run.pk):  # nothing where a worker has been faster
            work_on(claim)
        run.refresh_from_db()
        if run.state == ScheduledRunState.FAILED or run.error:
            raise CommandError(f"run {run.pk} of {slug}: {run.error}")
        return {"run": run.pk, "schedule": slug, "state": run.state, "outcome": run.outcome, **run.counts}


def described(schedule: Schedule) -> dict[str, Any]:
    """A line of the list."""
    try:
        found = slots.next_slots(schedule.cron, schedule.time_zone, ledger.database_now(), 1)
        following = found[0].isoformat() if found and schedule.enabled else None
    except slots.InvalidSlots as error:
        following = f"none: {error}"
    last = ScheduledRun.objects.filter(schedule=schedule).exclude(state=ScheduledRunState.COVERED).first()
    return {
        "schedule": schedule.slug,
        "kind": schedule.kind,
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "enabled": schedule.enabled,
        "next": following,
        "last": None if last is None else f"{last.state}: {last.outcome or last.error}",
    }
