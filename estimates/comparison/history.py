"""Facts as they stood at an instant, rebuilt from the history that the database keeps of every change.

Accelerators with their rates, links, memory tiers and accepted figures, language models and workloads have a
history; the shapes of offers have none and are taken as they stand, as are checkpoints, the efficiency data
and the method. Quotes are dated by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.db import models
from django.db.models import F, Q

from catalog.history.events import histories
from catalog.models import Accelerator, LanguageModel, Link, MemoryTier, PeakRate, Workload
from estimates.core.facts import PROVENANCES, Provenance
from estimates.from_catalog import (
    DECIDING_QUANTITIES,
    MEMORY_BANDWIDTH,
    PROVENANCE_OF,
    SCALE_UP,
    Datasheet,
    Evidence,
    datasheet_of,
)

#: Related name of an accelerator's rows -> their model and the name of their history.
CHILDREN: Final[Mapping[str, tuple[type[models.Model], str]]] = {
    "memory_tiers": (MemoryTier, "memory-tiers"),
    "peak_rates": (PeakRate, "peak-rates"),
    "links": (Link, "links"),
}
ACCELERATORS, FIGURES, MODELS, WORKLOADS = "accelerators", "figures", "models", "workloads"


class BeforeHistoryError(Exception):
    """Nothing is known of a thing at that instant: which thing, and since when there is a history of it."""

    def __init__(self, what: str, slug: str, since: datetime | None) -> None:
        self.what, self.slug, self.since = what, slug, since
        super().__init__(
            f"the history of the {what} {slug} begins at {since.isoformat()}"
            if since
            else f"there is no history of the {what} {slug}"
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one row: the row after it (before it, of a deletion), when, by whom, why."""

    resource: str
    number: int
    row: int
    at: datetime
    label: str
    values: Mapping[str, Any]
    context: Mapping[str, Any]

    @property
    def change(self) -> str:
        """Its id in the list of changes."""
        return f"{self.resource}-{self.number}"


@dataclass(slots=True)
class Timeline:
    """Every event of one thing and of what belongs to it, in the order in which they happened."""

    what: str
    slug: str
    key: int
    events: list[Event] = field(default_factory=list)

    @property
    def since(self) -> datetime | None:
        """When the thing itself entered the history."""
        own = [
            e.at for e in self.events if e.row == self.key and e.resource in (ACCELERATORS, MODELS, WORKLOADS)
        ]
        return min(own, default=None)

    def rows_at(self, instant: datetime) -> dict[str, dict[int, Mapping[str, Any]]]:
        """Columns by resource and row as they stood. Raises BeforeHistoryError."""
        standing: dict[str, dict[int, Mapping[str, Any]]] = {}
        for event in self.events:
            if event.at > instant:
                break
            rows = standing.setdefault(event.resource, {})
            if event.label == "delete":
                rows.pop(event.row, None)
            else:
                rows[event.row] = event.values
        own = {ACCELERATORS: ACCELERATORS, MODELS: MODELS, WORKLOADS: WORKLOADS}
        if not any(self.key in standing.get(name, {}) for name in own):
            raise BeforeHistoryError(self.what, self.slug, self.since)
        return standing


def accelerator_timeline(row: Accelerator) -> Timeline:
    """The history of an accelerator, its rates, links and tiers, and its figures."""
    found = Timeline("accelerator", row.slug, row.pk)
    found.events += _events(ACCELERATORS, Q(pgh_obj_id=row.pk))
    for _, name in CHILDREN.values():
        found.events += _events(name, Q(accelerator_id=row.pk))
    found.events += _events(FIGURES, Q(accelerator_id=row.pk))
    found.events.sort(key=lambda event: event.at)  # stable: those of one transaction stay as they came
    return found


def model_timeline(row: LanguageModel) -> Timeline:
    return Timeline("language model", row.slug, row.pk, _events(MODELS, Q(pgh_obj_id=row.pk)))


def workload_timeline(row: Workload) -> Timeline:
    return Timeline("workload", row.slug, row.pk, _events(WORKLOADS, Q(pgh_obj_id=row.pk)))


def _events(resource: str, condition: Q) -> list[Event]:
    history = histories()[resource]
    rows = (
        history.events._default_manager.filter(condition)
        .order_by("pgh_created_at", "pgh_id")
        .annotate(context=F("pgh_context__metadata"))
        .values("pgh_id", "pgh_obj_id", "pgh_created_at", "pgh_label", "context", *history.columns)
    )
    return [
        Event(
            resource,
            row["pgh_id"],
            row["pgh_obj_id"],
            row["pgh_created_at"],
            row["pgh_label"],
            {name: row[name] for name in history.columns},
            row["context"] or {},
        )
        for row in rows
    ]


# ---- Facts at an instant ---------------------------------------------------------------------------------


def sheet_at(timeline: Timeline, instant: datetime) -> Datasheet:
    """The datasheet of an accelerator as it stood. Raises BeforeHistoryError."""
    return _sheet(timeline.rows_at(instant), timeline.key)


def _sheet(standing: Mapping[str, Mapping[int, Mapping[str, Any]]], key: int) -> Datasheet:
    row = Accelerator(**standing[ACCELERATORS][key])
    for related, (kind, name) in CHILDREN.items():
        _prefetched(row, related, [kind(**values) for values in standing.get(name, {}).values()])
    return datasheet_of(row, evidence_among(standing.get(FIGURES, {}).values()))


def _prefetched(row: models.Model, related: str, rows: Sequence[models.Model]) -> None:
    """Give an instance its related rows, as `prefetch_related` does."""
    queryset: Any = getattr(row, related).get_queryset()
    queryset._result_cache = list(rows)
    queryset._prefetch_done = True
    if not hasattr(row, "_prefetched_objects_cache"):
        row._prefetched_objects_cache = {}  # type: ignore[attr-defined]
    row._prefetched_objects_cache[related] = queryset  # type: ignore[attr-defined]


def evidence_among(figures: Iterable[Mapping[str, Any]]) -> Evidence:
    """What `estimates.from_catalog.evidence_of` says of these figures."""
    weakest: Provenance | None = None
    assumed: set[str] = set()
    for figure in figures:
        quantity = figure["quantity"]
        if not figure["accepted"] or quantity not in (*DECIDING_QUANTITIES, SCALE_UP):
            continue
        kind = PROVENANCE_OF[figure["kind"]]
        if quantity != SCALE_UP:
            weakest = kind if weakest is None else max(weakest, kind, key=PROVENANCES.index)
        if kind == "assumed" and quantity in (MEMORY_BANDWIDTH, SCALE_UP):
            assumed.add(quantity)
    return Evidence() if weakest is None else Evidence(weakest, frozenset(assumed))


def model_at(timeline: Timeline, instant: datetime) -> LanguageModel:
    """A language model as it stood, not to be saved. Raises BeforeHistoryError."""
    return LanguageModel(**timeline.rows_at(instant)[MODELS][timeline.key])


def workload_at(timeline: Timeline, instant: datetime) -> Workload:
    """A workload as it stood, not to be saved. Raises BeforeHistoryError."""
    return Workload(**timeline.rows_at(instant)[WORKLOADS][timeline.key])


def end_of(day: date) -> datetime:
    """The last instant of a day, in UTC."""
    return datetime.combine(day, time.max, UTC)
