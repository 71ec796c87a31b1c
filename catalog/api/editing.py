"""Changing figures over the API: each new value is a claim with its source, and becomes the accepted one."""

from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import DataError, IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import hints
from catalog.api.hardware import ACCELERATORS, CHILD_QUANTITIES, SYSTEMS
from catalog.figures import FigureError, accept_figure, quantities_of
from catalog.history.origin import by_api
from catalog.models import Accelerator, Source, System
from catalog.models.sources import Confidence, FigureKind
from catalog.offers import refresh_offers
from catalog.sources import SourceError, find_or_add_source
from config.access.models import Scope
from config.access.permissions import MayWrite
from config.deadlocks import again_after_deadlock
from config.rest.columns import Resource
from config.rest.conditional import check_if_match, etag_of
from config.rest.faults import Fault, Problem, invalid_body, nearest, not_found
from config.rest.rendering import dumps
from config.rest.schema import described_patch
from config.rest.views import DetailView, detail

ABOUT = ("source", "kind", "confidence", "observed_on", "as_printed", "change_reason")
SOURCE_FIELDS = {"slug": 200, "url": 1000, "title": 500, "publisher": 200, "published_on": 10}
TEXT_LENGTHS = {"observed_on": 10, "as_printed": 200, "change_reason": 2000}


@dataclass(frozen=True, slots=True)
class Change:
    """A body, understood: values by quantity, with the name each was given by, and where they come from."""

    values: dict[str, tuple[str, Any]]
    source: dict[str, str] | None
    kind: str
    confidence: str
    observed_on: str
    as_printed: str
    reason: str


def names_of(model: type[Accelerator] | type[System]) -> dict[str, str]:
    """Names that a body may use for quantities: the quantity's own, and the API's column for it."""
    names = {name: name for name in quantities_of(model)}
    return names | (CHILD_QUANTITIES if model is Accelerator else {})


def read_change(body: Any, model: type[Accelerator] | type[System]) -> Change:
    """Understand a body; raises Problem (400) with every fault found."""
    if not isinstance(body, dict):
        raise invalid_body([Fault("", "type", "the body is no JSON object", "an object")])
    faults: list[Fault] = []
    names = names_of(model)
    values: dict[str, tuple[str, Any]] = {}
    for name, value in body.items():
        if name in ABOUT:
            continue
        pointer = f"/{_escaped(name)}"
        if name not in names:
            near = nearest(name, [*names, *ABOUT], 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            detail_text = f"there is no figure {name[:100]!r} to change{hint}"
            faults.append(Fault(pointer, "unknown_field", detail_text, [*names, *ABOUT]))
        elif names[name] in values:
            faults.append(Fault(pointer, "repeated", f"{name} and {values[names[name]][0]} are one figure"))
        else:
            accepted = quantities_of(model)[names[name]].fault(value)
            if accepted is not None:
                faults.append(Fault(pointer, "invalid", f"{name} is not {accepted}", accepted))
            values[names[name]] = (name, value)
    if not values and not faults:
        faults.append(Fault("", "empty", "the body changes no figure", sorted(names)))
    source = _source(body.get("source"), faults)
    kind = body.get("kind", FigureKind.THIRD_PARTY if source else None)
    if kind is None and body.get("source") is None:
        accepted_text = "a source {slug} or {url, title}, or kind assumed"
        faults.append(Fault("/source", "source_required", "a figure needs a source", accepted_text))
    elif kind is not None:
        _choice("kind", kind, FigureKind.values, faults)
        if source is None and "source" not in body and kind not in (FigureKind.ASSUMED, FigureKind.DERIVED):
            faults.append(
                Fault(
                    "/source", "source_required", f"a {kind} figure needs a source", "source, or kind assumed"
                )
            )
    confidence = body.get("confidence", Confidence.MEDIUM)
    _choice("confidence", confidence, Confidence.values, faults)
    texts = {name: _text(body, name, length, faults) for name, length in TEXT_LENGTHS.items()}
    if faults:
        raise invalid_body(faults)
    return Change(
        values,
        source,
        str(kind),
        confidence,
        texts["observed_on"],
        texts["as_printed"],
        texts["change_reason"],
    )


def _escaped(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")


def _choice(name: str, value: Any, accepted: list[str], faults: list[Fault]) -> None:
    if value not in accepted:
        faults.append(Fault(f"/{name}", "choice", f"{name} is none of {', '.join(accepted)}", accepted))


def _text(body: dict[str, Any], name: str, length: int, faults: list[Fault], pointer: str = "") -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > length or "\x00" in value:
        accepted = f"text of at most {length} characters"
        faults.append(Fault(f"{pointer}/{name}", "invalid", f"{name} is not {accepted}", accepted))
        return ""
    return value.strip()


def _source(given: Any, faults: list[Fault]) -> dict[str, str] | None:
    if given is None:
        return None
    accepted = "an object with slug, or with url and title"
    if not isinstance(given, dict) or not given:
        faults.append(Fault("/source", "type", f"source is not {accepted}", accepted))
        return None
    for name in given:
        if name not in SOURCE_FIELDS:
            pointer = f"/source/{_escaped(name)}"
            faults.append(
                Fault(pointer, "unknown_field", f"a source has no field {name[:100]!r}", list(SOURCE_FIELDS))
            )
    source = {name: _text(given, name, length, faults, "/source") for name, length in SOURCE_FIELDS.items()}
    if not source["slug"] and not (source["url"] and source["title"]):
        faults.append(Fault("/source", "incomplete", f"source is not {accepted}", accepted))
    elif source["url"] and not source["url"].startswith(("https://", "http://")):
        faults.append(
            Fault("/source/url", "invalid", "url is no web address", "an address that begins with https://")
        )
    return source


def source_of(given: dict[str, str]) -> Source:
    """The source that a body names, found or added; raises Problem (400) for an unknown slug alone."""
    try:
        return find_or_add_source(**given)
    except SourceError:
        near = nearest(given["slug"], Source.objects.values_list("slug", flat=True))
        detail_text = f"there is no source {given['slug'][:100]!r}"
        raise invalid_body([Fault("/source/slug", "unknown", detail_text, near)]) from None


class FigureEditing(DetailView):
    """One thing, readable by all readers; its figures can be changed by whoever may write facts."""

    model: type[Accelerator] | type[System]
    permission_classes: Any = [MayWrite]
    write_scope = Scope.WRITE_FACTS
    write_permission = "catalog.change_figure"

    @again_after_deadlock
    def patch(self, request: Request, key: str) -> Response:
        if request.query_params:
            raise Problem(400, "invalid-parameters", "A PATCH takes no query parameters.")
        # Reading the body first refuses malformed JSON before anything is locked.
        body = request.data
        with by_api(request), transaction.atomic():
            row = self.model._default_manager.select_for_update().filter(slug=key).first()
            if row is None:
                slugs = self.model._default_manager.values_list("slug", flat=True)
                raise not_found(self.resource.noun, key, slugs)
            current = dumps(detail(self.resource, key))
            check_if_match(request, row.version, etag_of(current, row.version))
            change = read_change(body, self.model)
            pghistory.context(reason=change.reason)
            self.accept(row, change)
            answer = detail(self.resource, key)
        return Response(answer)

    def accept(self, row: Any, change: Change) -> None:
        """Accept every figure of the change, then let dependent estimates know. All or nothing."""
        source = source_of(change.source) if change.source else None
        for quantity, (name, value) in change.values.items():
            try:
                with transaction.atomic():
                    accept_figure(
                        row,
                        quantity,
                        value,
                        kind=change.kind,
                        source=source,
                        reason=change.reason,
                        confidence=change.confidence,
                        observed_on=change.observed_on,
                        as_printed=change.as_printed,
                    )
            except FigureError as error:
                pointer = f"/{_escaped(name)}" if error.field in ("value", "quantity") else f"/{error.field}"
                raise invalid_body([Fault(pointer, error.code, str(error), error.accepted)]) from None
            except (IntegrityError, DataError):
                accepted = "a value that the database's constraints admit (above 0, below 1e15)"
                raise invalid_body(
                    [Fault(f"/{_escaped(name)}", "constraint", f"{name} is out of range", accepted)]
                ) from None
        self.after(row, set(change.values))

    def after(self, row: Any, quantities: set[str]) -> None:
        """What else follows from the change."""


class AcceleratorDetail(FigureEditing):
    """One accelerator. `PATCH` gives figures new values, each with its source; estimates follow."""

    resource: Resource = ACCELERATORS
    model = Accelerator

    def after(self, row: Accelerator, quantities: set[str]) -> None:
        if any(quantity.startswith("link:scale_up") for quantity in quantities):
            refresh_offers()
        hints.accelerator_changed(row.pk)


class SystemDetail(FigureEditing):
    """One system. `PATCH` gives figures new values, each with its source; offers and estimates follow."""

    resource: Resource = SYSTEMS
    model = System

    def after(self, row: System, quantities: set[str]) -> None:
        if quantities & {"accelerator_count", "scale_up_gbs", "scale_up_domain", "scale_out_gbs"}:
            refresh_offers()
        hints.accelerator_changed(row.accelerator_id)


def body_schema(model: type[Accelerator] | type[System]) -> dict[str, Any]:
    """The JSON schema of a change."""
    quantities = quantities_of(model)
    figures = {
        name: {"type": "number", "description": f"{quantity}, {quantities[quantity].unit or 'no unit'}"}
        for name, quantity in names_of(model).items()
    }
    about: dict[str, Any] = {
        "source": {
            "type": "object",
            "description": "slug of a known source, or url and title of one to add",
            "properties": {
                name: {"type": "string", "maxLength": length} for name, length in SOURCE_FIELDS.items()
            },
            "additionalProperties": False,
        },
        "kind": {"type": "string", "enum": FigureKind.values, "description": "third_party where not given"},
        "confidence": {"type": "string", "enum": Confidence.values},
        **{name: {"type": "string", "maxLength": length} for name, length in TEXT_LENGTHS.items()},
    }
    return {"type": "object", "properties": figures | about, "additionalProperties": False}


EXAMPLE = {
    "memory_bandwidth_gbs": 4020,
    "source": {"url": "https://example.com/datasheet.pdf", "title": "Datasheet, revision 2"},
    "kind": "vendor_claim",
    "observed_on": "2025-01-31",
    "change_reason": "New revision of the datasheet",
}
SYSTEM_EXAMPLE = {
    "power_kw": 10.2,
    "source": {"url": "https://example.com/system.pdf", "title": "System datasheet"},
    "kind": "vendor_claim",
    "change_reason": "Power as printed",
}
described_patch(AcceleratorDetail, ACCELERATORS, body_schema(Accelerator), EXAMPLE)
described_patch(SystemDetail, SYSTEMS, body_schema(System), SYSTEM_EXAMPLE)
