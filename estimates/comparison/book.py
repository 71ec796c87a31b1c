"""Facts and prices of many questions, read in a few queries however many the questions are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from catalog.models import Accelerator, LanguageModel
from catalog.models import Offer as OfferRow
from catalog.names import model_slugs
from estimates.asked_hardware import Hardware, overridden
from estimates.asked_model import find_workload
from estimates.core.architecture_json import ArchitectureError
from estimates.core.facts import InvalidFact
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat
from estimates.economics.bases import BasisAsked, HourlyPrice, hourly_prices
from estimates.economics.pricing import Priced, basis_of, find_price, no_quote, price_among
from estimates.fact_book import FactBook
from estimates.from_catalog import (
    Evidence,
    Shape,
    accelerator_rows,
    datasheet_of,
    evidence_of,
    model_facts,
    shape_of,
)
from estimates.what_if import InvalidQuestion, Question


class BulkBook(FactBook):
    """A fact book told its questions beforehand; what it was not told of is still found, one by one."""

    def __init__(self, questions: Sequence[Question] = ()) -> None:
        super().__init__()
        self._workloads: dict[tuple[str, str], CoreWorkload | InvalidQuestion] = {}
        self._prices: dict[BasisAsked, Mapping[int, HourlyPrice]] = {}
        self._counts: dict[int, dict[int, int]] = {}  # accelerator -> chips by offer
        self._read_models({q.model for q in questions if isinstance(q.model, str)})
        self._read_hardware(questions)

    def _read_models(self, names: Iterable[str]) -> None:
        wanted = sorted(set(names))
        slugs = model_slugs(wanted) if wanted else {}
        rows = {row.slug: row for row in LanguageModel.objects.filter(slug__in=set(slugs.values()))}
        for name, slug in slugs.items():
            try:
                self._models[name] = model_facts(rows[slug])
            except (ArchitectureError, InvalidFact, UnknownFormat):
                continue  # asked for, it is refused with the reason

    def _read_hardware(self, questions: Sequence[Question]) -> None:
        chips = {q.accelerator for q in questions if isinstance(q.accelerator, str)}
        offers = {q.offer for q in questions if q.offer is not None}
        if not chips and not offers:
            return
        rows = {
            row.pk: row
            for row in accelerator_rows(
                Accelerator.objects.filter(Q(slug__in=chips) | Q(offers__slug__in=offers)).distinct()
            )
        }
        evidence = evidence_of(list(rows))
        shapes = list(OfferRow.objects.filter(accelerator__in=rows).order_by("retired", "slug"))
        for offer in shapes:
            self._counts.setdefault(offer.accelerator_id, {})[offer.pk] = offer.count
        by_slug = {offer.slug: offer for offer in shapes}
        by_count: dict[tuple[int, int], OfferRow] = {}
        for offer in shapes:
            by_count.setdefault((offer.accelerator_id, offer.count), offer)
        by_chip = {row.slug: row for row in rows.values()}
        sheets = {pk: datasheet_of(row, evidence.get(pk, Evidence())) for pk, row in rows.items()}
        for question in questions:
            key = (question.accelerator, question.offer, question.count)
            named: OfferRow | None
            if question.offer is not None and question.accelerator is None:
                named = by_slug.get(question.offer)
                chip = rows.get(named.accelerator_id) if named else None
            elif isinstance(question.accelerator, str) and question.offer is None:
                chip = by_chip.get(question.accelerator)
                named = by_count.get((chip.pk, question.count)) if chip else None
            else:
                continue
            if chip is None:
                continue
            shape = shape_of(named) if named else Shape(f"{chip.slug}-x{question.count}", question.count)
            self._hardware[key] = Hardware(sheets[chip.pk], shape, chip, named)

    def hardware_of(self, question: Question) -> Hardware:
        """The hardware in question, overrides applied to what is known already. Raises InvalidQuestion."""
        if not question.overrides or not isinstance(question.accelerator, str | None):
            return super().hardware_of(question)
        plain = super().hardware_of(question.model_copy(update={"overrides": {}}))
        return overridden(plain, question.overrides)

    def workload_of(self, question: Question) -> CoreWorkload:
        """The workload in question. Raises InvalidQuestion."""
        asked = (
            question.workload if isinstance(question.workload, str) else question.workload.model_dump_json()
        )
        key = (asked, question.workload_overrides.model_dump_json())
        if key not in self._workloads:
            try:
                self._workloads[key] = find_workload(question)
            except InvalidQuestion as error:
                self._workloads[key] = error
        found = self._workloads[key]
        if isinstance(found, InvalidQuestion):
            raise InvalidQuestion(*found.faults)
        return found

    def price_of(self, question: Question, hardware: Hardware) -> Priced:
        """The price that `find_price` finds; a rented basis is asked once for all hardware of the book.

        Raises InvalidQuestion.
        """
        asked = basis_of(question)
        if (
            question.price.usd_per_hour is not None
            or asked.basis in ("none", "owned")
            or hardware.row is None
        ):
            return find_price(question, hardware)
        if hardware.row.pk not in self._counts:
            offers = OfferRow.objects.filter(accelerator=hardware.row)
            self._counts[hardware.row.pk] = dict(offers.values_list("pk", "count"))
            self._prices.clear()
        if asked not in self._prices:
            wanted = [offer for counts in self._counts.values() for offer in counts]
            self._prices[asked] = hourly_prices(asked, wanted)
        counts, prices = self._counts[hardware.row.pk], self._prices[asked]
        found = price_among({pk: prices[pk] for pk in counts if pk in prices}, counts, hardware)
        return Priced(found) if found is not None else Priced(None, no_quote(asked, hardware))
