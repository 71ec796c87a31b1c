"""One tick: opens what is due, then works on runs until none waits or the time is spent."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from pydantic import ValidationError

from estimates.schedules import hints, kinds, ledger
from estimates.schedules.definition import faults_of_parameters
from estimates.schedules.kinds import InvalidParameters, Refused
from estimates.schedules.ledger import Claim, Lost
from estimates.schedules.models import Schedule, ScheduledRun

log = logging.getLogger(__name__)

#: A tick begins no further run after this long.
BUDGET_SECONDS: Final = 60.0


@dataclass(slots=True)
class Ticked:
    """What a tick did: rows entered in the ledger, runs done, runs that failed or will be tried again."""

    opened: int = 0
    done: int = 0
    failed: int = 0


def tick(now: datetime | None = None, *, budget_seconds: float = BUDGET_SECONDS) -> Ticked:
    """Open the slots due at `now` (the database's time) and work on what waits."""
    began = time.monotonic()
    ticked = Ticked(opened=ledger.open_due(now))
    if ticked.opened and ledger.has_open():
        hints.runs_waiting()  # another worker helps where there is one
    while time.monotonic() - began < budget_seconds:
        claims = ledger.claim()
        if not claims:
            break
        for claim in claims:
            if work_on(claim):
                ticked.done += 1
            else:
                ticked.failed += 1
    return ticked


class Journal:
    """The log of a run: each line is stored at once, and kept in mind while a transaction is open."""

    def __init__(self, claim: Claim, so_far: str) -> None:
        self.claim = claim
        self.text = so_far
        self.began = time.monotonic()
        self.within_transaction = False

    def tell(self, line: str) -> None:
        """One line, with the seconds since the attempt began. Raises Lost."""
        text = f"+{time.monotonic() - self.began:.1f} s  {line.rstrip()[:1000]}\n"
        self.text += text
        if not self.within_transaction:
            ledger.append_log(self.claim, text)


def work_on(claim: Claim) -> bool:
    """Do what a claimed run asks for and keep how it ended; whether it was done."""
    run = ledger.owned(claim).select_related("schedule").first()
    if run is None:
        return False
    journal = Journal(claim, run.log)
    try:
        _work(claim, run, run.schedule, journal)
    except Lost:
        log.warning("run %d of schedule %s was taken by another worker", claim.run, run.schedule.slug)
        return False
    except Refused as error:
        ledger.settle_failed(claim, str(error), final=True, log_text=journal.text, report=error.report)
        log.warning("run %d of schedule %s has failed: %s", claim.run, run.schedule.slug, error)
        return False
    except Exception as error:  # kept with the run; other runs go on
        text = f"{type(error).__name__}: {error}"
        log.exception("run %d of schedule %s, attempt %d", claim.run, run.schedule.slug, claim.attempt)
        ledger.settle_failed(claim, text, traceback.format_exc(), final=False, log_text=journal.text)
        if isinstance(error, SoftTimeLimitExceeded):
            raise
        return False
    return True


def _work(claim: Claim, run: ScheduledRun, schedule: Schedule, journal: Journal) -> None:
    try:
        parameters = kinds.read_parameters(schedule.kind, schedule.parameters)
    except (InvalidParameters, ValidationError):
        raise Refused(f"parameters: {faults_of_parameters(schedule.kind, schedule.parameters)[0]}") from None
    work = kinds.works()[schedule.kind].work
    prepared = work.prepare(run, schedule, parameters, journal.tell)
    with transaction.atomic():
        ledger.hold(claim)
        journal.within_transaction = True
        try:
            done = work.work(prepared, schedule, parameters, journal.tell)
        except InvalidParameters as error:
            raise Refused(str(error)) from None
        ledger.settle_done(claim, done.outcome, done.counts, done.report, journal.text)
