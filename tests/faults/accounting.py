"""The accounts after the rest: what was acknowledged against what stands, and stored estimates against fresh.

That nothing is stale says only that versions agree. The estimates are therefore made anew from the facts as
they stand, without anything remembered, and compared value by value with what is stored.
"""

from collections import defaultdict
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.models import User

from catalog.models import Accelerator, LanguageModel
from estimates import store
from estimates.from_catalog import FactCache, read_workloads
from estimates.models import Calculation, CalculationRun, Estimate, Job
from estimates.recalculation import input_digest
from estimates.rows import Collected, estimate_rows
from estimates.runs import active_runs
from estimates.staleness import parked_calculations, stale_calculations
from tests.faults.history import events_of, history_of, value_of
from tests.faults.ledger import Entry, Ledger, Outcome, Write

#: Columns that the product itself sets again (offers follow systems and quotes): only their history counts.
DERIVED: Final = {("offer", "retired")}


def _model(table: str) -> type[Any]:
    label = "estimates" if table == "calculationrun" else "catalog"
    return apps.get_model(label, table)


def lost_edits(ledger: Ledger) -> list[str]:
    """Acknowledged values that do not stand, though nothing later replaced them.

    What stands in a column is the last acknowledged value, or that of an edit of unknown fate.
    """
    problems = []
    by_column: dict[tuple[str, int, str], list[tuple[Entry, Write]]] = defaultdict(list)
    for entry in ledger.entries:
        for write in entry.writes:
            if entry.outcome == Outcome.NOT_MADE:
                continue
            if write.insert:
                count = _model(write.table)._default_manager.filter(**{write.column: write.value}).count()
                if count == 0 and entry.outcome == Outcome.ACKNOWLEDGED:
                    problems.append(f"{_named(entry)}: {write.table} {write.value} is not there")
            elif (write.table, write.column) not in DERIVED:
                by_column[write.table, write.pk, write.column].append((entry, write))
    rows: dict[tuple[str, int], Any] = {}
    for (table, pk, column), writes in by_column.items():
        acknowledged = [pair for pair in writes if pair[0].outcome == Outcome.ACKNOWLEDGED]
        if not acknowledged:
            continue
        if (table, pk) not in rows:
            rows[table, pk] = _model(table)._default_manager.filter(pk=pk).first()
        stands = None if rows[table, pk] is None else value_of(rows[table, pk], column)
        entry, last = acknowledged[-1]
        unknown = [write.value for entry, write in writes if entry.outcome == Outcome.UNKNOWN]
        if stands != last.value and stands not in unknown:
            problems.append(f"{_named(entry)}: {table} {pk} {column} is {stands}, not {last.value}")
    return problems


def missing_history(ledger: Ledger) -> list[str]:
    """Acknowledged changes without their event, or whose event lacks what was before, who, why, where."""
    problems: list[str] = []
    users = dict(User.objects.values_list("pk", "username"))
    known: dict[str, dict[int, list[Any]]] = {}
    for entry in ledger.of(Outcome.ACKNOWLEDGED):
        for write in entry.writes:
            if write.table in {"calculationrun", "pricequote"} and history_of(write.table) is None:
                continue  # append-only rows are a history of their own
            if write.table not in known:
                known[write.table] = events_of(_model(write.table))
            if write.insert:
                rows = _model(write.table)._default_manager.filter(**{write.column: write.value})
                events = [
                    e for pk in rows.values_list("pk", flat=True) for e in known[write.table].get(pk, [])
                ]
                if not any(e.pgh_label == "insert" for e in events):
                    problems.append(f"{_named(entry)}: no event of {write.table} {write.value}")
                continue
            found = _transitions(known[write.table].get(write.pk, []), write)
            if (write.table, write.column) in DERIVED:
                continue  # counted below, all together
            if not found:
                problems.append(f"{_named(entry)}: no event of {write.table} {write.pk} {write.column}")
                continue
            before, event = found[0]
            if before is None:
                problems.append(f"{_named(entry)}: nothing says what {write.table} {write.pk} was before")
            if entry.request_id:
                context = event.pgh_context.metadata if event.pgh_context else {}
                wanted = {"request_id": entry.request_id, "reason": entry.reason, "user": "chaos"}
                given = dict(context) | {"user": users.get(context.get("user"))}
                wrong = [name for name, value in wanted.items() if given.get(name) != value]
                if wrong:
                    problems.append(f"{_named(entry)}: the event lacks {', '.join(wrong)}")
    return problems + _missing_flips(ledger)


def _missing_flips(ledger: Ledger) -> list[str]:
    """Offers are also set by the product: there must be as many events as acknowledged flips, or more."""
    flips: dict[int, int] = defaultdict(int)
    for entry in ledger.of(Outcome.ACKNOWLEDGED):
        for write in entry.writes:
            if (write.table, write.column) in DERIVED:
                flips[write.pk] += 1
    if not flips:
        return []
    events = events_of(_model("offer"))
    problems = []
    for pk, count in flips.items():
        seen = len(_transitions(events.get(pk, []), Write("offer", pk, "retired", None)))
        problems += [f"offer {pk}: {count} acknowledged changes, {seen} events"] * max(0, count - seen)
    return problems


def doubled_edits(ledger: Ledger) -> list[str]:
    """Edits that were carried out more than once: a row twice, or a value that came a second time."""
    problems = []
    known: dict[str, dict[int, list[Any]]] = {}
    for entry in ledger.entries:
        for write in entry.writes:
            if write.insert:
                count = _model(write.table)._default_manager.filter(**{write.column: write.value}).count()
                if count > 1:
                    problems.append(f"{_named(entry)}: {count} rows of {write.table} {write.value}")
                continue
            if (write.table, write.column) in DERIVED or history_of(write.table) is None:
                continue
            if write.table not in known:
                known[write.table] = events_of(_model(write.table))
            count = len(_transitions(known[write.table].get(write.pk, []), write))
            if count > 1:
                problems.append(
                    f"{_named(entry)}: {write.table} {write.pk} {write.column} changed to it {count}x"
                )
    return problems


def _transitions(events: list[Any], write: Write) -> list[tuple[Any, Any]]:
    """Pairs of events between which the column changed to the value (to anything where the value is None)."""
    found = []
    before = None
    for event in events:
        now = value_of(event, write.column)
        was = None if before is None else value_of(before, write.column)
        if now != was and (write.value is None or now == write.value) and event.pgh_label == "update":
            found.append((before, event))
        before = event
    return found


def _named(entry: Entry) -> str:
    edit = entry.edit
    return f"edit {edit.number} ({edit.way} {edit.row} {','.join(edit.targets)} {edit.column})"


def stale_estimates() -> list[str]:
    """Calculations that are stale or parked: nothing in the trial's catalogue deserves either."""
    problems = []
    for word, rows in (("stale", stale_calculations()), ("parked", parked_calculations())):
        for cell in rows.select_related("language_model", "accelerator"):
            problems.append(
                f"{cell.language_model.slug} on {cell.accelerator.slug} is {word}: {cell.state} "
                f"{cell.model_version}/{cell.language_model.version} "
                f"{cell.accelerator_version}/{cell.accelerator.version} {cell.error[:200]}"
            )
    return problems


def stuck_work() -> list[str]:
    """Runs and jobs that are still under way, and calculations that a run still waits for."""
    problems = [f"run {run.pk} ({run.scope}, {run.reason}) is {run.state}" for run in active_runs()]
    waiting = Calculation.objects.filter(run__isnull=False).count()
    problems += [f"{waiting} calculations wait for a run"] if waiting else []
    problems += [
        f"job {job.pk} is {job.state}" for job in Job.objects.filter(state__in=("queued", "running"))
    ]
    problems += [f"run {run.pk} failed: {run.error}" for run in CalculationRun.objects.filter(state="failed")]
    return problems


# ---- Stored estimates against fresh ones -----------------------------------------------------------------

_KEY: Final = ("language_model_id", "offer_id", "workload_id", "objective")
_VALUES: Final = tuple(
    name
    for name in (
        "calculation_id",
        "state",
        *store.TEXTS,
        "grade",
        *store.COUNTS,
        *store.NUMBERS,
        "meets_service_level",
    )
)


def wrong_estimates() -> tuple[list[str], int]:
    """Stored rows that differ from what the facts give now, and how many rows there are."""
    facts = FactCache()
    workloads = read_workloads()
    models = facts.models(list(LanguageModel.objects.values_list("pk", flat=True)))
    chips = {
        chip.pk: chip for chip in facts.accelerators(list(Accelerator.objects.values_list("pk", flat=True)))
    }
    calculations = {(c.language_model_id, c.accelerator_id): c for c in Calculation.objects.all()}
    collected = Collected()
    problems = []
    for model in models:
        cells = []
        for pk, chip in chips.items():
            cell = calculations.get((model.pk, pk))
            if cell is None:
                problems.append(f"{model.slug} on {chip.slug} has no calculation")
                continue
            cells.append((cell.pk, chip))
            if cell.input_digest != input_digest(model, chip, workloads):
                problems.append(
                    f"{model.slug} on {chip.slug}: made from other inputs than the facts that stand"
                )
        estimate_rows([(model, cells)], workloads, collected)
    fresh = _as_stored(collected)
    stored = {
        tuple(row[name] for name in _KEY): tuple(row[name] for name in _VALUES)
        for row in Estimate.objects.values(*_KEY, *_VALUES)
    }
    for key in sorted(fresh.keys() | stored.keys()):
        old, new = stored.get(key), fresh.get(key)
        if old == new:
            continue
        if old is None or new is None:
            problems.append(f"estimate {key}: {'missing' if old is None else 'no longer made'}")
            continue
        differing = [f"{n}: {a} is {b}" for n, a, b in zip(_VALUES, old, new, strict=True) if a != b]
        problems.append(f"estimate {key}: {'; '.join(differing[:4])}")
    return problems, len(stored)


def _as_stored(collected: Collected) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Records of the core as their columns hold them: codes as texts, nothing for what is unknown."""
    found = {}
    for record in collected.rows():
        values: list[Any] = []
        for name in _VALUES:
            value = record[name].item()
            if name in store.TEXTS:
                value = collected.texts[value - 1] if value else ""
            elif name == "grade":
                value = chr(value) if value else ""
            elif name in store.COUNTS:
                value = value or None
            elif name in store.NUMBERS:
                value = None if value != value else _single(value)
            elif name == "meets_service_level":
                value = bool(value)
            values.append(value)
        found[tuple(record[name].item() for name in _KEY)] = tuple(values)
    return found


def _single(value: float) -> float:
    """A single-precision number as Postgres writes it and the driver reads it: its shortest decimal form."""
    import numpy as np

    return float(str(np.float32(value)))
