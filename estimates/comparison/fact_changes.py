"""Which facts behind an estimate changed between two instants, by whom, why and after which source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from catalog.models import Source
from estimates.comparison.history import FIGURES, MODELS, WORKLOADS, Event, Timeline, sheet_at


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
