"""Takes a change back, as a new change: what it changed is brought to what it was, and nothing else.

A value that figures stand behind is not written into its column: the figure that was accepted before is
accepted again, so that column and figure agree. Nothing is ever taken out of the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pghistory
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from catalog import hints
from catalog.figures import (
    SUBJECT_FIELDS,
    FigureError,
    Subject,
    apply_value,
    column_value,
    quantities_of,
    subject_field,
    subject_of,
)
from catalog.history.events import (
    DELETE,
    INSERT,
    KEPT,
    UPDATE,
    Change,
    History,
    change_named,
    histories,
    together_with,
)
from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    Link,
    MemoryTier,
    Offer,
    PeakRate,
    System,
    Vendor,
    Workload,
)
from catalog.models.sources import FigureOrigin
from catalog.offers import refresh_offers
from catalog.quantities import Quantity

#: Columns made from others; they follow by themselves.
DERIVED_COLUMNS: Final[dict[type[models.Model], frozenset[str]]] = {System: frozenset({"offer_id"})}
#: Child rows whose columns hold figures: related name at the accelerator, column that names the row.
CHILDREN: Final[dict[type[models.Model], tuple[str, str]]] = {
    PeakRate: ("peak_rates", "number_format"),
    MemoryTier: ("memory_tiers", "role"),
    Link: ("links", "scope"),
}


class RevertRefusedError(Exception):
    """A change that cannot be taken back now: why, in which fields, and what would be accepted instead."""

    def __init__(self, code: str, detail: str, fields: Mapping[str, Any] | None = None, accepted: Any = None):
        super().__init__(detail)
        self.code, self.detail = code, detail
        self.fields, self.accepted = dict(fields or {}), accepted


class ChangedSinceError(RevertRefusedError):
    """Fields of the change stand otherwise now; `fields` has their present values."""

    def __init__(self, change: Change, current: Mapping[str, Any]) -> None:
        names = ", ".join(current)
        super().__init__(
            "changed-since",
            f"{names} changed since {change.id}; to take it back all the same, name the state as it is now",
            current,
            {"current": dict(current)},
        )


@dataclass(frozen=True, slots=True)
class Reverted:
    """A change taken back: the changes made by it, newest last."""

    change: Change
    made: tuple[str, ...]


def revert_change(name: str, *, reason: str, current: Mapping[str, Any] | None = None) -> Reverted | None:
    """Take the change of this id back, as a new change; None where there is no such change.

    `current` names fields with the values that they have now: with it a change is taken back although they
    changed since. Everything happens in one transaction; estimates are told after its commit.

    Raises:
        ChangedSinceError: fields of the change stand otherwise now and `current` does not name them so.
        RevertRefusedError: what is only appended or derived; gone; not known before; a parent or name that is
            taken; rows that depend on it; figures that would no longer agree with their columns.
    """
    change = change_named(name)
    if change is None:
        return None
    _check_kind(change)
    words = f"revert of {change.id}: {reason}" if reason else f"revert of {change.id}"
    with pghistory.context(reason=words, reverts=change.id) as context:
        try:
            with transaction.atomic():
                _Reverting(change, dict(current or {})).run()
        except ProtectedError as error:
            used = sorted({str(row._meta.verbose_name_plural) for row in error.protected_objects})
            raise RevertRefusedError("depended-on", f"{', '.join(used)} depend on the row") from None
        except (IntegrityError, DataError) as error:
            line = " ".join(str(error).split("CONTEXT")[0].split())
            raise RevertRefusedError(
                "constraint", f"the database refuses the row as it was: {line}"
            ) from None
        except FigureError as error:
            raise RevertRefusedError("figures-disagree", str(error), accepted=error.accepted) from None
        return Reverted(change, _made(context.id))


def _made(context_id: Any) -> tuple[str, ...]:
    found = [
        (at, f"{resource}-{number}")
        for resource, history in histories().items()
        for number, at in history.events._default_manager.filter(pgh_context_id=context_id)
        .order_by("pgh_id")
        .values_list("pgh_id", "pgh_created_at")
    ]
    return tuple(name for _, name in found)


def _check_kind(change: Change) -> None:
    model = change.history.model
    if model is Offer:
        raise RevertRefusedError(
            "derived", "offers follow from systems and quotes; take the change of the system back"
        )
    if not change.history.is_whole:
        names = model._meta.verbose_name_plural
        raise RevertRefusedError("append-only", f"{names} are only appended: what was observed stays")
    if change.action == UPDATE:
        if change.earlier is None:
            raise RevertRefusedError("not-known", f"what the row was before {change.id} is not known")
        derived = DERIVED_COLUMNS.get(model, frozenset())
        if not set(change.changed) - derived:
            raise RevertRefusedError(
                "derived", f"{change.id} changed nothing that does not follow from other rows"
            )


class _Reverting:
    """One change being taken back, inside its transaction."""

    def __init__(self, change: Change, current: dict[str, Any]) -> None:
        self.change, self.history, self.current = change, change.history, current
        self.model: type[models.Model] = change.history.model
        self.checks: set[tuple[type[models.Model], int, str]] = set()

    def run(self) -> None:
        self._lock_subject()
        if self.change.action == UPDATE:
            self._update()
        elif self.change.action == INSERT:
            self._delete()
        else:
            self._insert()
        self._check_figures()
        _tell(self.change)

    def _lock_subject(self) -> None:
        """Lock in the order of `accept_figure`: the subject first, its figures after it."""
        if self.model not in CHILDREN and self.model is not Figure:
            return
        for parent, name in SUBJECT_FIELDS.items():
            key = self.change.row.get(f"{name}_id")
            if key is None:
                continue
            if parent._default_manager.select_for_update().filter(pk=key).first() is None:
                raise RevertRefusedError(
                    "parent-gone", f"the {parent._meta.verbose_name} it belongs to is gone"
                )

    # ---- An update ---------------------------------------------------------------------------------------

    def _update(self) -> None:
        change = self.change
        derived = DERIVED_COLUMNS.get(self.model, frozenset())
        names = [name for name in change.changed if name not in derived]
        now = self._row_now()
        self._check_since(now, {name: change.row[name] for name in names})
        assert change.earlier is not None
        before = {name: change.earlier[name] for name in names}
        if self.model is Figure:
            self._update_figure(before)
            return
        subject = self._subject()
        plain = dict(before)
        for quantity in self._quantities(set(names)) if subject is not None else []:
            assert subject is not None
            if not _figures(subject, quantity.name).exists():
                continue
            value = plain.pop(quantity.column)
            if self.model is PeakRate:
                plain.pop("kind", None)  # of the figure, and written with its value
            self._back_to(subject, quantity, value)
        if plain:
            self.model._default_manager.filter(pk=change.key).update(**plain)

    def _row_now(self) -> dict[str, Any]:
        rows = self.model._default_manager.select_for_update().filter(pk=self.change.key)
        row = rows.order_by().values(*self.history.columns).first()
        if row is None:
            name = self.model._meta.verbose_name
            raise RevertRefusedError(
                "gone", f"the {name} has been deleted since; take its deletion back first"
            )
        return row

    def _check_since(self, now: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
        differing = {name: now[name] for name in expected if now[name] != expected[name]}
        named = {name: self.current[name] for name in differing if name in self.current}
        if differing and {name: _plain(value) for name, value in differing.items()} != named:
            raise ChangedSinceError(self.change, {name: _plain(value) for name, value in differing.items()})

    # ---- Figures -----------------------------------------------------------------------------------------

    def _subject(self) -> Subject | None:
        """The row whose figures stand behind the columns of the change, locked."""
        key = self.change.key
        model: type[models.Model] = self.model
        if self.model in CHILDREN:
            model, key = Accelerator, self.change.row["accelerator_id"]
        if model not in SUBJECT_FIELDS:
            return None
        return model._default_manager.select_for_update().filter(pk=key).first()  # type: ignore[return-value]

    def _quantities(self, columns: set[str] | None = None) -> list[Quantity]:
        """Quantities that stand in these columns of the row (all where None)."""
        subject: Any = Accelerator if self.model in CHILDREN else self.model
        place = None
        if self.model in CHILDREN:
            related, key = CHILDREN[self.model]
            place = (related, key, self.change.row[key])
        if columns is not None and self.model is PeakRate and "kind" in columns:
            columns = columns | {"tera_ops"}
        return [
            quantity
            for quantity in quantities_of(subject).values()
            if quantity.child == place and (columns is None or quantity.column in columns)
        ]

    def _back_to(self, subject: Subject, quantity: Quantity, value: Any) -> None:
        """Accept the figure again that was accepted before the change, which said `value`."""
        figure = self._accepted_before(subject, quantity, value)
        if figure is None and value is not None:
            raise RevertRefusedError(
                "no-figure",
                f"no figure on record says that {quantity.name} is {_plain(value)}",
                {quantity.column: _plain(value)},
                "PATCH with a source",
            )
        _accept_again(subject, quantity, figure)
        self.checks.add((type(subject), subject.pk, quantity.name))

    def _accepted_before(self, subject: Subject, quantity: Quantity, value: Any) -> Figure | None:
        """The figure that stopped being the accepted one together with the change, else one that says so."""
        if value is None:
            return None
        key = subject_field(subject)
        events = histories()["figures"]
        about = {f"{key}_id": subject.pk, "quantity": quantity.name}
        stopped = together_with(self.change, events).filter(pgh_label=UPDATE, accepted=False, **about)
        earlier = events.events._default_manager.filter(
            pgh_created_at__lte=self.change.at, accepted=True, **about
        ).order_by("-pgh_id")
        order = list(
            dict.fromkeys([*stopped.values_list("pgh_obj_id", flat=True), *_keys(earlier), *_keys_of(about)])
        )
        live = Figure.objects.in_bulk(order)
        for pk in order:
            figure = live.get(pk)
            if figure is None or figure.value is None:
                continue
            if column_value(quantity, figure.value) == value:
                return figure
        return None

    def _update_figure(self, before: dict[str, Any]) -> None:
        figure = Figure.objects.get(pk=self.change.key)
        subject = _subject_of(figure)
        quantity = quantities_of(subject).get(figure.quantity)
        accepted = before.pop("accepted", None)
        if before:
            Figure.objects.filter(pk=figure.pk).update(**before)
            figure.refresh_from_db()
        if quantity is None:
            return
        if accepted is True:
            _accept_again(subject, quantity, figure)
        elif accepted is False:
            _accept_again(subject, quantity, self._replaced_by(subject, quantity))
        elif figure.accepted:
            _accept_again(subject, quantity, figure)
        self.checks.add((type(subject), subject.pk, quantity.name))

    def _replaced_by(self, subject: Subject, quantity: Quantity) -> Figure | None:
        """The figure that gave way in the same transaction in which this one became the accepted one."""
        about = {f"{subject_field(subject)}_id": subject.pk, "quantity": quantity.name}
        gave_way = together_with(self.change, histories()["figures"]).filter(
            pgh_label=UPDATE, accepted=False, **about
        )
        keys = [key for key in gave_way.values_list("pgh_obj_id", flat=True) if key != self.change.key]
        found = Figure.objects.in_bulk(keys)
        if keys and keys[-1] not in found:
            raise RevertRefusedError("gone", "the figure that was accepted before is gone")
        return found[keys[-1]] if keys else None

    # ---- An insert ---------------------------------------------------------------------------------------

    def _delete(self) -> None:
        """Take an insert back: delete the row and what came with it, where nothing else needs it."""
        now = self._row_now()
        self._check_since(now, {name: v for name, v in self.change.row.items() if name not in KEPT})
        if self.model is Figure:
            self._delete_figure()
            return
        subject = self._subject() if self.model in CHILDREN else None
        if subject is not None:
            for quantity in self._quantities():
                _figures(subject, quantity.name).filter(accepted=True).update(accepted=False)
        parts = self._parts_added_since()
        if parts:
            raise RevertRefusedError(
                "depended-on", f"{', '.join(parts)} depend on the row", accepted="delete them first"
            )
        self.model._default_manager.get(pk=self.change.key).delete()

    def _parts_added_since(self) -> list[str]:
        """Facts that would go with the row, or lose it, and did not come with it."""
        found = []
        for other in histories().values():
            if other.model is Offer:
                continue  # they follow from systems and quotes
            for field in other.model._meta.concrete_fields:
                if not field.is_relation or field.related_model is not self.model:
                    continue
                rows = other.model._default_manager.filter(**{field.attname: self.change.key})
                came = together_with(self.change, other).filter(pgh_label=INSERT).values("pgh_obj_id")
                if rows.exclude(pk__in=came).exists():
                    found.append(str(other.model._meta.verbose_name_plural))
        return sorted(set(found))

    def _delete_figure(self) -> None:
        figure = Figure.objects.get(pk=self.change.key)
        subject = _subject_of(figure)
        quantity = quantities_of(subject).get(figure.quantity)
        Figure.objects.filter(pk=figure.pk).delete()  # as the accepted one, so that it comes back as that
        if figure.accepted and quantity is not None:
            _accept_again(subject, quantity, self._replaced_by(subject, quantity))
            self.checks.add((type(subject), subject.pk, quantity.name))

    # ---- A deletion --------------------------------------------------------------------------------------

    def _insert(self) -> None:
        """Take a deletion back: the row again with its number, and the parts that went with it."""
        if self.model._default_manager.filter(pk=self.change.key).exists():
            raise RevertRefusedError("exists", "the row is there again")
        self._insert_row(self.history, self.change.row)
        for other in histories().values():
            column = other.column_to(self.model)
            if column is None or not other.is_whole:
                continue
            gone = together_with(self.change, other).filter(pgh_label=DELETE, **{column: self.change.key})
            for row in gone.values(*other.columns):
                self._insert_row(other, row)
        subject = self._subject()
        if self.model is Figure:
            figure = Figure.objects.get(pk=self.change.key)
            owner = _subject_of(figure)
            quantity = quantities_of(owner).get(figure.quantity)
            if figure.accepted and quantity is not None:
                _accept_again(owner, quantity, figure)
                self.checks.add((type(owner), owner.pk, quantity.name))
        elif subject is not None:
            if self.model in CHILDREN:
                self._accept_what_stood(subject)
            for quantity in self._quantities() if self.model in CHILDREN else quantities_of(subject).values():
                self.checks.add((type(subject), subject.pk, quantity.name))

    def _accept_what_stood(self, subject: Subject) -> None:
        """A child row that is there again stands on the figures that ceased with it."""
        for quantity in self._quantities():
            value = self.change.row[quantity.column]
            figures = _figures(subject, quantity.name)
            if value is not None and figures.exists() and not figures.filter(accepted=True).exists():
                self._back_to(subject, quantity, value)

    def _insert_row(self, history: History, row: Mapping[str, Any]) -> None:
        values = dict(row)
        for field in history.model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or values[field.attname] is None:
                continue
            target: Any = field.related_model
            if not target._default_manager.filter(pk=values[field.attname]).exists():
                if field.null and history.model is System and field.name == "offer":
                    values[field.attname] = None  # follows from the system
                    continue
                raise RevertRefusedError(
                    "parent-gone",
                    f"the {target._meta.verbose_name} it belongs to is gone",
                    {field.name: None},
                )
        if "version" in values:  # never a version that another state of the row has had
            values |= {"version": values["version"] + 1, "changed_at": timezone.now()}
        if history.model is Figure and values["accepted"]:
            # One accepted figure at most: whichever stands now gives way.
            owner = {f"{name}_id": values[f"{name}_id"] for name in SUBJECT_FIELDS.values()}
            Figure.objects.filter(**owner, quantity=values["quantity"], accepted=True).update(accepted=False)
        history.model._default_manager.bulk_create([history.model(**values)])

    # ---- The invariant -----------------------------------------------------------------------------------

    def _check_figures(self) -> None:
        """An accepted figure and its column say the same, or everything is taken back."""
        for model, key, name in sorted(self.checks, key=str):
            subject: Any = model._default_manager.get(pk=key)
            quantity = quantities_of(subject)[name]
            accepted = _figures(subject, name).filter(accepted=True).first()
            value = _standing(subject, quantity)
            wanted = (
                column_value(quantity, accepted.value) if accepted and accepted.value is not None else None
            )
            if wanted != value and (accepted is not None or _figures(subject, name).exists()):
                raise RevertRefusedError(
                    "figures-disagree",
                    f"{name} would be {_plain(value)} while the accepted figure says {_plain(wanted)}",
                    {name: _plain(wanted)},
                    "accept the figure that says so",
                )


def _plain(value: Any) -> Any:
    """A value as it travels in JSON."""
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    return str(value)


def _keys(events: models.QuerySet[Any]) -> list[int]:
    return list(events.values_list("pgh_obj_id", flat=True)[:50])


def _keys_of(about: Mapping[str, Any]) -> list[int]:
    return list(Figure.objects.filter(**about).order_by("-pk").values_list("pk", flat=True)[:50])


def _figures(subject: Subject, quantity: str) -> models.QuerySet[Figure]:
    return Figure.objects.filter(**{subject_field(subject): subject}, quantity=quantity).order_by()


def _subject_of(figure: Figure) -> Subject:
    subject = subject_of(figure)
    assert subject is not None  # a constraint says so
    return subject


def _accept_again(subject: Subject, quantity: Quantity, figure: Figure | None) -> None:
    """Make the figure the accepted one and its value the column's; None: nothing is known any more."""
    rivals = _figures(subject, quantity.name).filter(accepted=True)
    (rivals if figure is None else rivals.exclude(pk=figure.pk)).update(accepted=False)
    if figure is None:
        _clear(subject, quantity)
        return
    if figure.value is None:
        raise RevertRefusedError("no-figure", f"the figure of {quantity.name} is no number")
    Figure.objects.filter(pk=figure.pk).exclude(accepted=True, origin=FigureOrigin.EDITOR).update(
        accepted=True, origin=FigureOrigin.EDITOR
    )
    subject.refresh_from_db()
    apply_value(subject, quantity, figure.value, figure.kind)


def _clear(subject: Subject, quantity: Quantity) -> None:
    """The quantity becomes unknown: an empty column, or no child row where the row is nothing without it."""
    if quantity.child is None:
        field = type(subject)._meta.get_field(quantity.column)
        if not field.null:  # type: ignore[union-attr]
            raise RevertRefusedError(
                "required", f"{quantity.name} cannot be unknown; accept another value instead"
            )
        type(subject)._default_manager.filter(pk=subject.pk).update(**{quantity.column: None})
        return
    related, key_field, key = quantity.child
    rows = getattr(subject, related).filter(**{key_field: key})
    row = rows.first()
    if row is None:
        return
    if row._meta.get_field(quantity.column).null:
        rows.update(**{quantity.column: None})
        others = [q.column for q in quantities_of(subject).values() if q.child == quantity.child]
        row.refresh_from_db()
        if all(getattr(row, column) is None for column in others) and not getattr(row, "name", ""):
            rows.delete()
        return
    others = [
        q.column
        for q in quantities_of(subject).values()
        if q.child == quantity.child and q.column != quantity.column and getattr(row, q.column) is not None
    ]
    if others:
        raise RevertRefusedError("required", f"{', '.join(others)} would stand without {quantity.name}")
    rows.delete()


def _standing(subject: Subject, quantity: Quantity) -> Any:
    if quantity.child is None:
        return getattr(subject, quantity.column)
    related, key_field, key = quantity.child
    row = getattr(subject, related).filter(**{key_field: key}).first()
    return None if row is None else getattr(row, quantity.column)


def _tell(change: Change) -> None:
    """Let the estimates that depend on it follow, after the commit."""
    model, row = change.history.model, change.row
    accelerator = change.key if model is Accelerator else row.get("accelerator_id")
    language_model = change.key if model is LanguageModel else row.get("language_model_id")
    quantity = row.get("quantity", "")
    if (
        model in (System, Accelerator)
        or (model is Link)
        or quantity.startswith("link:")
        or row.get("system_id")
    ):
        refresh_offers()
    if accelerator is not None and change.history.is_whole:
        hints.accelerator_changed(accelerator)
    if language_model is not None and model in (LanguageModel, Figure):
        hints.model_changed(language_model)
    if model in (Workload, Vendor) or row.get("workload_id") is not None:
        hints.work_waiting()
