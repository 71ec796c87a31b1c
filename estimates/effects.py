"""What moved in the estimates because of one change of the facts.

A change raises versions; a recalculation takes the versions it finds and keeps what it moved, from which
versions to which. The movements of a change are those whose versions span the ones it raised. Several changes
that one recalculation took in together cannot be told apart: they are named beside its movements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Case, F, FloatField, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Abs, Greatest, Ln

from catalog.history.events import INSERT, Change, described, histories, together_with
from catalog.models import Accelerator, LanguageModel, Offer, PriceQuote, Vendor, Workload
from catalog.prices import PriceFilter, offer_prices_by_basis, plain
from estimates.convergence.models import Movement
from estimates.from_catalog import read_workloads
from estimates.models import Calculation

MOST_TOGETHER: Final = 20


@dataclass(frozen=True, slots=True)
class Raised:
    """Versions of an accelerator or model that the transaction of a change raised: above `start` to `end`."""

    resource: str
    key: int
    slug: str | None
    start: int
    end: int

    def as_json(self) -> dict[str, Any]:
        versions = {"from_version": self.start, "to_version": self.end}
        return {"resource": self.resource, "slug": self.slug, **versions}


@dataclass(slots=True)
class Effects:
    """The effects of one change: a word, a sentence, the versions it raised, and its movements."""

    change: Change
    status: str
    detail: str
    raised: list[Raised] = field(default_factory=list)
    workloads_changed: bool = False
    calculations: int = 0
    pending: int = 0
    prices: list[dict[str, Any]] = field(default_factory=list)
    movements: QuerySet[Movement] = field(default_factory=Movement.objects.none)


def effects_of(change: Change) -> Effects:
    """Which estimates the change moved, which wait to be made again, or why none depend on it."""
    if change.history.model is PriceQuote:
        return _of_quote(change)
    raised = raised_by(change)
    workloads = change.history.model is Workload
    if not raised and not workloads:
        detail = "No estimate rests on what the change changed: it raised no version."
        return Effects(change, "no_effect", detail)
    calculations, waiting, spanned = Q(pk__in=[]), Q(pk__in=[]), Q(pk__in=[])
    for one in raised:
        what = "accelerator" if one.resource == "accelerators" else "language_model"
        version = "accelerator" if one.resource == "accelerators" else "model"
        of = Q(**{f"{what}_id": one.key})
        calculations |= of
        waiting |= of & Q(**{f"{version}_version__lt": one.end})
        spans = {f"from_{version}_version__lt": one.end, f"to_{version}_version__gt": one.start}
        spanned |= of & Q(**spans)
    if workloads:
        calculations = Q()
        waiting = ~Q(workloads_digest=read_workloads().digest)
        spanned |= Q(pk__in=_first_after(change))
    movements = Movement.objects.filter(spanned).exclude(changed=0, added=0, removed=0)
    count = Calculation.objects.filter(calculations).count()
    pending = Calculation.objects.filter(waiting).count()
    moved = movements.exists()
    if pending:
        status, detail = "pending", f"{pending} of {count} calculations have still to be made again."
    elif moved:
        status, detail = "moved", "Every calculation has been made again."
    else:
        status, detail = "none_moved", "None moved: every calculation was made again and came out the same."
    return Effects(
        change, status, detail, raised, workloads, count, pending, movements=by_distance(movements)
    )


def raised_by(change: Change) -> list[Raised]:
    """Versions of accelerators and models that the transaction of the change raised for it."""
    found = []
    for resource, model, keys in (
        ("accelerators", Accelerator, _accelerators_of(change)),
        ("models", LanguageModel, _models_of(change)),
    ):
        if not keys:
            continue
        history = histories()[resource]
        events = together_with(change, history).filter(pgh_obj_id__in=keys).order_by()
        spans = events.values("pgh_obj_id").annotate(low=Min("version"), high=Max("version"))
        spans = spans.annotate(came=Min(Case(When(pgh_label=INSERT, then="version"))))
        slugs = dict(model._default_manager.filter(pk__in=keys).values_list("pk", "slug"))
        for row in spans:
            key = row["pgh_obj_id"]
            if row["came"] is not None:
                start = 0
            else:
                # The first event of the transaction has the version before it, where it was a note.
                former = history.events._default_manager.filter(pgh_obj_id=key, version__lt=row["low"])
                own = Q(pgh_created_at=change.at, pgh_context_id=change.context_id)
                standing = history.events._default_manager.filter(pgh_obj_id=key, version=row["low"])
                was_there = standing.exclude(own).filter(pgh_created_at__lt=change.at).exists()
                start = (
                    row["low"] if was_there else (former.aggregate(v=Max("version"))["v"] or row["low"] - 1)
                )
            if row["high"] > start:
                found.append(Raised(resource, key, slugs.get(key), start, row["high"]))
    return sorted(found, key=lambda one: (one.resource, one.slug or ""))


def _accelerators_of(change: Change) -> list[int]:
    model = change.history.model
    rows = [change.row, change.earlier or {}]
    if model is Accelerator:
        return [change.key]
    if model is Vendor:
        return list(Accelerator.objects.filter(vendor_id=change.key).values_list("pk", flat=True))
    if not change.history.is_whole:
        return []
    return sorted({row["accelerator_id"] for row in rows if row.get("accelerator_id") is not None})


def _models_of(change: Change) -> list[int]:
    """Of models only their own columns are read; their names elsewhere and their figures are not."""
    return [change.key] if change.history.model is LanguageModel else []


def _first_after(change: Change) -> QuerySet[Any, Any]:
    """Of each calculation the first movement after the change that took in other workloads."""
    later = Movement.objects.filter(workloads_changed=True, at__gte=change.at).order_by()
    return later.values("calculation_id").annotate(first=Min("pk")).values("first")


def by_distance(movements: QuerySet[Movement]) -> QuerySet[Movement]:
    """Farthest first: by the largest ratio of throughput either way, then by changed states and rows."""

    def far(name: str) -> Case:
        return Case(
            When(**{f"{name}__gt": 0}, then=Abs(Ln(F(name)))), default=Value(0.0), output_field=FloatField()
        )

    distance = Greatest(far("throughput_ratio_low"), far("throughput_ratio_high"))
    return movements.annotate(distance=distance).order_by("-distance", "-state_changes", "-changed", "pk")


def totals(movements: QuerySet[Movement]) -> dict[str, int]:
    """Sums over all movements of a change."""
    names = ("rows", "changed", "added", "removed", "state_changes")
    sums = movements.order_by().aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return {name: sums[f"sum_{name}"] or 0 for name in names}


# ---- As rows ---------------------------------------------------------------------------------------------


def movement_rows(effects: Effects, movements: Sequence[Movement]) -> list[dict[str, Any]]:
    """Movements as the API shows them, with the other changes that the same recalculation took in."""
    slugs = {
        name: dict(model._default_manager.filter(pk__in=keys).values_list("pk", "slug"))
        for name, model, keys in (
            ("model", LanguageModel, {row.language_model_id for row in movements}),
            ("accelerator", Accelerator, {row.accelerator_id for row in movements}),
        )
    }
    far = [one for row in movements for one in row.farthest]
    offers = dict(Offer.objects.filter(pk__in={o.get("offer") for o in far}).values_list("pk", "slug"))
    workloads = dict(
        Workload.objects.filter(pk__in={o.get("workload") for o in far}).values_list("pk", "slug")
    )
    together = _together(effects, movements)
    return [
        {
            "model": slugs["model"].get(row.language_model_id),
            "accelerator": slugs["accelerator"].get(row.accelerator_id),
            "at": row.at,
            "model_versions": [row.from_model_version, row.to_model_version],
            "accelerator_versions": [row.from_accelerator_version, row.to_accelerator_version],
            "method_changed": row.from_method != row.to_method,
            "workloads_changed": row.workloads_changed,
            "estimates": row.rows,
            "changed": row.changed,
            "added": row.added,
            "removed": row.removed,
            "state_changes": row.state_changes,
            "throughput_ratio": {
                "low": row.throughput_ratio_low,
                "median": row.throughput_ratio_median,
                "high": row.throughput_ratio_high,
            },
            "tpot_ratio_median": row.tpot_ratio_median,
            "farthest": [
                {**one, "offer": offers.get(one.get("offer")), "workload": workloads.get(one.get("workload"))}
                for one in row.farthest
            ],
            "together_with": together[row.pk],
        }
        for row in movements
    ]


def _together(effects: Effects, movements: Sequence[Movement]) -> dict[int, list[dict[str, Any]]]:
    """Other changes of the model or accelerator between the versions of each movement, at most some."""
    spans: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for row in movements:
        spans.setdefault(("accelerators", row.accelerator_id), []).append(
            (row.from_accelerator_version, row.to_accelerator_version, row.pk)
        )
        spans.setdefault(("models", row.language_model_id), []).append(
            (row.from_model_version, row.to_model_version, row.pk)
        )
    found: dict[int, list[dict[str, Any]]] = {row.pk: [] for row in movements}
    for resource in ("accelerators", "models"):
        wanted = Q(pk__in=[])
        for (name, key), ranges in spans.items():
            if name == resource:
                low, high = min(start for start, _, _ in ranges), max(end for _, end, _ in ranges)
                wanted |= Q(pgh_obj_id=key, version__gt=low, version__lte=high)
        events = histories()[resource].events._default_manager.filter(wanted)
        events = (
            events.exclude(pgh_created_at=effects.change.at, pgh_context_id=effects.change.context_id)
            if effects.change.context_id
            else events.exclude(pgh_created_at=effects.change.at)
        )
        rows = list(events.order_by("pgh_id").values_list("pgh_id", "pgh_obj_id", "version")[:1000])
        told = {
            int(row["id"].rpartition("-")[2]): row
            for row in described([(resource, number, None) for number, _, _ in rows])
        }
        for number, key, version in rows:
            for start, end, pk in spans.get((resource, key), []):
                if start < version <= end and len(found[pk]) < MOST_TOGETHER:
                    other = told[number]
                    found[pk].append(
                        {n: other[n] for n in ("id", "at", "user", "reason", "request_id", "diff")}
                    )
    return found


# ---- Prices ----------------------------------------------------------------------------------------------


def _of_quote(change: Change) -> Effects:
    """A price moves costs, which are arithmetic at reading: which offers it gave another price."""
    quote = PriceQuote.objects.filter(pk=change.key).first()
    if quote is None or change.action != INSERT:
        return Effects(change, "costs_only", "A price moves costs only, never performance.")
    offers = dict(
        Offer.objects.filter(accelerator_id=quote.accelerator_id, retired=False).values_list("pk", "slug")
    )
    day = change.at.date()
    with_it, without = (
        offer_prices_by_basis(PriceFilter(as_of=day, recorded_before=limit), list(offers)) if offers else {}
        for limit in (quote.pk + 1, quote.pk)
    )
    prices = []
    for pk, slug in sorted(offers.items(), key=lambda item: item[1]):
        used = with_it.get(pk, {}).get(quote.pricing_model)
        former = without.get(pk, {}).get(quote.pricing_model)
        if (used.quote_id if used else None) == (former.quote_id if former else None):
            continue
        prices.append(
            {
                "offer": slug,
                "pricing_model": quote.pricing_model,
                "before_usd_per_hour": plain(former.usd_per_hour) if former else None,
                "after_usd_per_hour": plain(used.usd_per_hour) if used else None,
            }
        )
    if not prices:
        why = f": it is not used ({quote.suspect})" if quote.suspect else ": others are used for every offer"
        detail = f"A price moves costs only, never performance; this one moved none{why}."
        return Effects(change, "costs_only", detail)
    detail = f"A price moves costs only, never performance; it is used for {len(prices)} offers since."
    return Effects(change, "costs_only", detail, prices=prices)
