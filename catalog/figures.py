"""Figures: the one way to accept a value, and where each value that stands in a column comes from.

A value is a claim of a source. Several figures may stand for one quantity of one subject; the accepted one's
value is copied into the subject's column (or child row), which filters and the estimator read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import models, transaction

from catalog.models import Accelerator, Figure, LanguageModel, Source, System, Workload
from catalog.models.sources import Confidence, FigureKind, FigureOrigin
from catalog.quantities import QUANTITIES, Quantity

Subject = Accelerator | System | LanguageModel | Workload

#: Kinds of figure that may stand without a source.
SOURCELESS_KINDS: Final = frozenset({FigureKind.ASSUMED, FigureKind.DERIVED})

SUBJECT_FIELDS: Final[dict[type[models.Model], str]] = {
    Accelerator: "accelerator",
    System: "system",
    LanguageModel: "language_model",
    Workload: "workload",
}


class FigureError(Exception):
    """A figure that cannot be taken: the field at fault, the value given, what is accepted instead."""

    def __init__(self, field: str, value: Any, accepted: str, code: str = "invalid") -> None:
        super().__init__(f"{field}: {value!r} is not accepted; accepted: {accepted}")
        self.field = field
        self.value = value
        self.accepted = accepted
        self.code = code


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an accepted value comes from, ready to be shown beside it."""

    quantity: str
    value: float | None
    unit: str
    kind: str
    confidence: str
    source_slug: str | None
    source_title: str | None
    source_url: str | None
    observed_on: str
    as_printed: str
    reason: str
    origin: str
    rivals: int


def subject_field(subject: Subject | type[Subject]) -> str:
    """Name of the figure's foreign key to this subject, or to subjects of this model."""
    return SUBJECT_FIELDS[subject if isinstance(subject, type) else type(subject)]


def subject_of(figure: Figure) -> Subject | None:
    """What the figure is about; a constraint of the database says that it is about one thing."""
    return figure.accelerator or figure.system or figure.language_model or figure.workload


def quantities_of(subject: Subject | type[Subject]) -> dict[str, Quantity]:
    """Every quantity that a figure of this subject may state, by name."""
    return QUANTITIES[subject_field(subject)]


def quantity_named(subject: Subject, name: str) -> Quantity:
    """The quantity of that name; raises `FigureError` with the names there are."""
    known = quantities_of(subject)
    if name not in known:
        raise FigureError("quantity", name, "one of " + ", ".join(known), "unknown_quantity")
    return known[name]


def accept_figure(
    subject: Subject,
    quantity: str,
    value: float,
    *,
    kind: str,
    source: Source | str | None = None,
    unit: str | None = None,
    reason: str = "",
    confidence: str = Confidence.MEDIUM,
    observed_on: str = "",
    as_printed: str = "",
    sparsity: str = "",
) -> Figure:
    """Make `value` the accepted figure of a quantity and write it into the column it belongs to.

    All of it happens in one transaction under a lock on the subject's row: the former figure stays as a
    rival, and versions and history follow by trigger. `source` is a
    `Source` or its slug; only kinds `assumed` and `derived` may go without one. `unit`, when given, must be
    the unit of the quantity (`quantities_of`). Accepting what is accepted already returns that figure
    unchanged. The instance's own attribute is refreshed for a column of the subject itself.

    Raises `FigureError` with the field, the value and what is accepted.
    """
    about = quantity_named(subject, quantity)
    if isinstance(value, Decimal):
        value = float(value)
    if (accepted := about.fault(value)) is not None:
        raise FigureError("value", value, accepted)
    if unit is not None and unit != about.unit:
        raise FigureError("unit", unit, about.unit or "no unit", "wrong_unit")
    _check_choice("kind", kind, FigureKind.values)
    found = _checked_source(kind, source)
    _check_choice("confidence", confidence, Confidence.values)
    _check_choice("sparsity", sparsity, ["", "dense", "sparse", "unknown"])

    with transaction.atomic():
        owner = type(subject)._default_manager.select_for_update().get(pk=subject.pk)
        key = subject_field(subject)
        standing = Figure.objects.filter(**{key: owner}, quantity=quantity, accepted=True).first()
        wanted: dict[str, Any] = {
            "value": float(value),
            "unit": about.unit,
            "as_printed": as_printed,
            "sparsity": sparsity,
            "kind": kind,
            "confidence": confidence,
            "source_id": found.pk if found else None,
            "observed_on": observed_on,
            "reason": reason,
        }
        if standing is not None and all(getattr(standing, name) == new for name, new in wanted.items()):
            return standing
        if standing is not None:
            Figure.objects.filter(pk=standing.pk).update(accepted=False)
        figure = Figure.objects.create(
            **{key: owner}, quantity=quantity, accepted=True, origin=FigureOrigin.EDITOR, **wanted
        )
        apply_value(owner, about, float(value), kind)
    if about.child is None:
        setattr(subject, about.column, column_value(about, float(value)))
    return figure


def choose_figure(figure: Figure, *, reason: str) -> Figure:
    """Make a rival that is on record the accepted figure of its quantity: a conflict resolved.

    The former one stays as a rival. Raises `FigureError` when the figure holds no number or a bad one.
    """
    subject = subject_of(figure)
    if subject is None or figure.value is None:
        raise FigureError("value", figure.text, "a number")
    about = quantity_named(subject, figure.quantity)
    if (accepted := about.fault(figure.value)) is not None:
        raise FigureError("value", figure.value, accepted)
    with transaction.atomic():
        owner = type(subject)._default_manager.select_for_update().get(pk=subject.pk)
        rivals = Figure.objects.filter(**{subject_field(subject): owner}, quantity=figure.quantity)
        rivals.filter(accepted=True).exclude(pk=figure.pk).update(accepted=False)
        note = f"{figure.reason}; {reason}".strip("; ")
        rivals.filter(pk=figure.pk).update(accepted=True, origin=FigureOrigin.EDITOR, reason=note)
        apply_value(owner, about, figure.value, figure.kind)
    figure.refresh_from_db()
    return figure


def apply_value(subject: Subject, about: Quantity, value: float, kind: str) -> None:
    """Write one accepted value into its column or child row, unless it stands there already."""
    new = column_value(about, value)
    if about.child is None:
        if getattr(subject, about.column) != new:
            type(subject)._default_manager.filter(pk=subject.pk).update(**{about.column: new})
        return
    related, key_field, key = about.child
    rows: models.Manager[Any] = getattr(subject, related)
    changes = {about.column: new} | ({"kind": kind} if related == "peak_rates" else {})
    row = rows.filter(**{key_field: key}).first()
    if row is None:
        if about.column != "capacity_gb" and related == "memory_tiers":
            raise FigureError(
                "quantity",
                about.name,
                f"memory_tier:{key}:capacity_gb first: the tier has no capacity yet",
                "missing_tier",
            )
        rows.create(**{key_field: key}, **changes)
    elif any(getattr(row, name) != wanted for name, wanted in changes.items()):
        rows.filter(pk=row.pk).update(**changes)


def column_value(about: Quantity, value: float) -> Any:
    """The value as its column keeps it: whole numbers as int, money as decimal."""
    if about.integer:
        return int(value)
    if about.column == "launch_price_usd":
        return Decimal(repr(value)).quantize(Decimal("0.01"))
    return value


def figures_of(subject: Subject, quantity: str | None = None) -> models.QuerySet[Figure]:
    """All figures of a subject with their sources, accepted ones first within each quantity."""
    found = Figure.objects.filter(**{subject_field(subject): subject}).select_related("source")
    if quantity is not None:
        found = found.filter(quantity=quantity_named(subject, quantity).name)
    return found.order_by("quantity", "-accepted", "pk")


def accepted_figure(subject: Subject, quantity: str) -> Figure | None:
    """The figure whose value is used, or None when the quantity is unknown of this subject."""
    return figures_of(subject, quantity).filter(accepted=True).first()


def accepted_value(subject: Subject, quantity: str) -> float | None:
    """The value that is used, or None when it is not known."""
    figure = accepted_figure(subject, quantity)
    return figure.value if figure else None


def provenance(subject: Subject) -> dict[str, Provenance]:
    """The accepted figure of every quantity of one subject: one query."""
    return provenance_of([subject]).get(subject.pk, {})


def provenance_of(subjects: Iterable[Subject]) -> dict[int, dict[str, Provenance]]:
    """Accepted figures by primary key and quantity for subjects of one model, with the number of rivals."""
    rows = list(subjects)
    if not rows:
        return {}
    key = subject_field(rows[0])
    found: dict[int, dict[str, Provenance]] = {}
    rivals: dict[tuple[int, str], int] = {}
    figures = list(Figure.objects.filter(**{f"{key}__in": rows}).select_related("source"))
    for figure in figures:
        if not figure.accepted:
            at = (getattr(figure, f"{key}_id"), figure.quantity)
            rivals[at] = rivals.get(at, 0) + 1
    for figure in figures:
        if figure.accepted:
            owner = getattr(figure, f"{key}_id")
            source = figure.source
            found.setdefault(owner, {})[figure.quantity] = Provenance(
                quantity=figure.quantity,
                value=figure.value,
                unit=figure.unit,
                kind=figure.kind,
                confidence=figure.confidence,
                source_slug=source.slug if source else None,
                source_title=source.title if source else None,
                source_url=source.url if source else None,
                observed_on=figure.observed_on,
                as_printed=figure.as_printed,
                reason=figure.reason,
                origin=figure.origin,
                rivals=rivals.get((owner, figure.quantity), 0),
            )
    return found


def _checked_source(kind: str, source: Source | str | None) -> Source | None:
    if isinstance(source, Source):
        return source
    if source:
        found = Source.objects.filter(slug=source).first()
        if found is None:
            raise FigureError("source", source, "the slug of a source in the catalogue", "unknown_source")
        return found
    if kind not in SOURCELESS_KINDS:
        raise FigureError(
            "source", None, "a source, or kind 'assumed' or 'derived' without one", "source_required"
        )
    return None


def _check_choice(field: str, value: str, choices: list[str]) -> None:
    if value not in choices:
        raise FigureError(field, value, "one of " + ", ".join(filter(None, choices)))
