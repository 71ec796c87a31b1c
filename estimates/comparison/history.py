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

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q

from catalog.api.changes import histories
from catalog.models import Accelerator, LanguageModel, Link, MemoryTier, PeakRate, Source, Workload
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


# ---- Who changed what ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FactChange:
    """A value that changed, with the change that did it last; `who` by name."""

    what: str
    field: str
    before: Any
    after: Any
    at: datetime | None = None
    who: str | None = None
    why: str | None = None
    request_id: str | None = None
    changes: tuple[str, ...] = ()
    source: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "at": self.at,
            "user": self.who,
            "reason": self.why,
            "request_id": self.request_id,
            "changes": list(self.changes),
            "source": self.source,
        }


def figure_changes(timeline: Timeline, start: datetime, end: datetime) -> list[FactChange]:
    """The figures of an accelerator that stand otherwise at the end than at the start, with who and when."""
    before, after = sheet_at(timeline, start).quantities, sheet_at(timeline, end).quantities
    differing = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if not differing:
        return []
    last: dict[str, list[Event]] = {}
    former: dict[tuple[str, int], Mapping[str, Any]] = {}  # each row before the event at hand
    earlier = before
    for moment in sorted({event.at for event in timeline.events if event.at <= end}):
        happened = [(e, former.get((e.resource, e.row), {})) for e in timeline.events if e.at == moment]
        if moment > start:
            now = sheet_at(timeline, moment).quantities
            for name in differing:
                if earlier.get(name) != now.get(name):
                    last[name] = [event for event, old in happened if _concerns(event, old, name)]
            earlier = now
        former |= {(event.resource, event.row): event.values for event, _ in happened}
    return [
        _described("accelerator", name, before.get(name), after.get(name), last.get(name, []))
        for name in sorted(differing)
    ]


def _concerns(event: Event, former: Mapping[str, Any], quantity: str) -> bool:
    """Whether an event is of the row that a figure stands in, or of the figure itself."""
    if event.resource == FIGURES:
        return bool(event.values["quantity"] == quantity and event.values["accepted"])
    kind, _, rest = quantity.partition(":")
    if event.resource == "peak-rates":
        return kind == "peak_rate" and rest == event.values["number_format"]
    if event.resource == "links":
        return kind == "link" and rest.partition(":")[0] == event.values["scope"]
    if event.resource == "memory-tiers":
        return kind == "memory_tier" and rest.partition(":")[0] == event.values["role"]
    return not rest and event.values.get(quantity) != former.get(quantity)  # not the stamp of another change


def row_changes(
    timeline: Timeline, start: datetime, end: datetime, columns: Sequence[str]
) -> list[FactChange]:
    """The columns of a model or workload that stand otherwise, with who and when."""
    resource = MODELS if timeline.what == "language model" else WORKLOADS
    before = timeline.rows_at(start)[resource][timeline.key]
    after = timeline.rows_at(end)[resource][timeline.key]
    found = []
    for name in columns:
        if before[name] == after[name]:
            continue
        last: list[Event] = []
        value = before[name]
        for event in timeline.events:
            if start < event.at <= end and event.values[name] != value:
                last, value = [event], event.values[name]
        found.append(_described(timeline.what, name, before[name], after[name], last))
    return found


def _described(what: str, name: str, before: Any, after: Any, events: Sequence[Event]) -> FactChange:
    if not events:
        return FactChange(what, name, before, after)
    context = next((event.context for event in events if event.context), {})
    figure = next((event for event in reversed(events) if event.resource == FIGURES), None)
    return FactChange(
        what,
        name,
        before,
        after,
        at=events[-1].at,
        who=_user(context.get("user")),
        why=context.get("reason") or (figure.values["reason"] if figure else None) or None,
        request_id=context.get("request_id"),
        changes=tuple(event.change for event in events),
        source=_source(figure),
    )


def _user(key: Any) -> str | None:
    if key is None:
        return None
    return User.objects.filter(pk=key).values_list("username", flat=True).first()


def _source(figure: Event | None) -> Mapping[str, Any] | None:
    if figure is None or figure.values["source_id"] is None:
        return None
    return Source.objects.filter(pk=figure.values["source_id"]).values("slug", "title", "url").first()


def end_of(day: date) -> datetime:
    """The last instant of a day, in UTC."""
    return datetime.combine(day, time.max, UTC)
