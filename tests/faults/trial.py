"""One seed from the empty catalogue to the accounts: edits and kills, then rest, then settling."""

import time
from collections import Counter
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection
from django.db.models import Sum

from catalog import hints
from estimates.models import Calculation, WorkTally
from estimates.runs import active_runs
from estimates.staleness import stale_calculations
from tests.faults import accounting, catalogue
from tests.faults.convergence import Watcher, times_to_converge
from tests.faults.editors import Editing
from tests.faults.http_client import Client
from tests.faults.killers import Killing
from tests.faults.ledger import Outcome
from tests.faults.plan import ACCELERATORS, MODELS, make_plan
from tests.faults.report import SeedResult
from tests.faults.service import Service

SETTLE_SECONDS: Final = 60.0
FIRST_SECONDS: Final = 90.0  # until the untouched catalogue is calculated
SECONDS_AN_EDIT: Final = 1.0  # an editing phase that takes longer than this has hung


def run_seed(
    seed: int, edits: int, service: Service, token: str, sessions: list[Client], files: Path
) -> SeedResult:
    """The trial of one seed on a running service."""
    began = time.monotonic()
    result = SeedResult(seed, edits)
    plan = make_plan(seed, edits)
    catalogue.empty()
    catalogue.build(files)
    hints.work_waiting()
    if settled_after(FIRST_SECONDS, service) is None:
        result.faults.append("the untouched catalogue was not calculated: " + _why())
        return result
    tally = _tally()
    ended_before = len(service.ended_by_themselves)
    connection.close()

    watcher = Watcher()
    watcher.start()
    editing = Editing(plan, service.port, token, sessions, files)
    killing = Killing(plan, service, editing.ledger)
    started = time.monotonic()
    editing.start()
    killing.start()
    ended = editing.join(30 + SECONDS_AN_EDIT * edits)
    result.editing_seconds = time.monotonic() - started
    killing.finish()
    rest = time.monotonic()
    if not ended:
        result.faults.append("the editors did not end")
    connection.close()
    settled = settled_after(SETTLE_SECONDS, service)
    result.settling_seconds = None if settled is None else time.monotonic() - rest
    watcher.finish()

    ledger = editing.ledger
    result.faults += editing.faults
    result.acknowledged = len(ledger.of(Outcome.ACKNOWLEDGED))
    result.unknown = len(ledger.of(Outcome.UNKNOWN))
    result.not_made = len(ledger.of(Outcome.NOT_MADE))
    result.refusals = [
        f"edit {entry.edit.number} ({entry.edit.way} {entry.edit.row}): {entry.said}"
        for entry in ledger.of(Outcome.NOT_MADE)
    ]
    result.conflicts, result.deadlocks = ledger.conflicts, ledger.deadlocks
    result.answers_of_500 = ledger.answers_of_500
    result.ended_by_themselves = service.ended_by_themselves[ended_before:]
    result.by_way = dict(Counter(entry.edit.way for entry in ledger.of(Outcome.ACKNOWLEDGED)))
    result.kills, result.kills_missed = dict(killing.done), dict(killing.missed)
    result.converge_seconds, result.unconverged = times_to_converge(watcher.looks)
    now = _tally()
    if now is not None:
        before = tally or (0, 0)
        result.recalculations, result.recalculations_unchanged = now[0] - before[0], now[1] - before[1]
    result.recalculations_uncoalesced = sum(_cost(entry) for entry in ledger.of(Outcome.ACKNOWLEDGED))

    result.lost = accounting.lost_edits(ledger)
    result.stale = accounting.stale_estimates()
    result.wrong, result.rows = accounting.wrong_estimates()
    result.history = accounting.missing_history(ledger)
    result.doubled = accounting.doubled_edits(ledger)
    result.stuck = accounting.stuck_work()
    result.seconds = time.monotonic() - began
    return result


def _cost(entry: "accounting.Entry") -> int:
    """Calculations that rest on what the edit changed."""
    models, chips = len(MODELS), len(ACCELERATORS) + 1
    return sum(
        {
            "accelerator": models,
            "peakrate": models,
            "link": models,
            "offer": models,
            "calculationrun": models,
            "languagemodel": chips,
            "workload": models * chips,
        }.get(write.table, 0)
        for write in entry.writes
    )


def _tally() -> tuple[int, int] | None:
    """Calculations made so far by the count of the workers, and those that only took over new versions."""
    made = WorkTally.objects.aggregate(made=Sum("calculations"), unchanged=Sum("unchanged"))
    return None if made["made"] is None else (int(made["made"]), int(made["unchanged"]))


def _settled(service: Service) -> bool:
    try:
        return (
            service.whole()
            and Calculation.objects.exists()
            and not stale_calculations().exists()
            and not active_runs().exists()
        )
    except DatabaseError:
        connection.close()
        return False


def settled_after(seconds: float, service: Service) -> float | None:
    """Seconds until nothing is stale or requested and all of the service runs; None: not in time."""
    began = time.monotonic()
    while not _settled(service):
        if time.monotonic() - began > seconds:
            return None
        time.sleep(0.1)
    return time.monotonic() - began


def _why() -> str:
    return "; ".join(accounting.stale_estimates()[:5])
