"""A what-if answered at once: stored or inline model and chip, any figure overridden, nothing saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from catalog.models import Offer as OfferRow
from catalog.prices import PriceFilter, QuoteUsed, offer_prices
from estimates import answers
from estimates.accuracy.standing import standing
from estimates.asked_hardware import Hardware, facts_used, find_hardware
from estimates.asked_model import deployment_facts, find_model, find_workload
from estimates.core.estimate import Estimate, evaluate_one
from estimates.core.facts import Deployment, InvalidFact, ModelFacts, Offer
from estimates.core.facts import Workload as CoreWorkload
from estimates.fact_book import FactBook
from estimates.from_catalog import chip_of, offer_of
from estimates.method import efficiency
from estimates.what_if import Fault, InvalidQuestion, PriceAsked, Question, read_question

#: Reasons of the core that are faults of the question, not answers; the field at fault by their code.
FAULTS_OF_THE_QUESTION: Final = {
    "tp_does_not_divide": "/deployment/tp",
    "ep_does_not_divide": "/deployment/ep",
    "pp_exceeds_layers": "/deployment/pp",
    "no_experts": "/deployment/ep",
    "too_many_chips": "/count",
    "exceeds_domain": "/deployment/tp",
    "unknown_format": "/deployment/weights",
    "unknown_software": "/deployment/software",
    "static_prefill_pool": "/deployment/prefill",
}


def evaluate(data: Mapping[str, Any] | Question) -> dict[str, Any]:
    """Answer one what-if with plain values for JSON (`estimates.answers`); raises InvalidQuestion.

    What does not fit and what a missing fact refuses are answers, with the shortfall or the fact's name.
    """
    question = read_question(data)
    hardware = find_hardware(question)
    model = find_model(question.model)
    workload = find_workload(question)
    estimate = estimate_of(model, hardware, workload, question)
    quote = find_quote(question.price, hardware)
    found = answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=hardware.sheet,
        shape=hardware.shape,
        facts=facts_used(hardware),
        quote=quote,
        own_price=question.price.usd_per_hour,
        notes=hardware.notes,
    )
    return found | standing(estimate, model, workload, hardware.sheet, hardware.shape)


def estimate_question(question: Question, book: FactBook, *, explained: bool = True) -> Estimate:
    """The estimate alone, with stored facts out of the book; raises InvalidQuestion.

    Without `explained` it has its figures and neither elasticities nor formulas.
    """
    hardware, model = book.hardware_of(question), book.model_of(question)
    return estimate_of(model, hardware, find_workload(question), question, explained=explained)


def estimate_of(
    model: ModelFacts,
    hardware: Hardware,
    workload: CoreWorkload,
    question: Question,
    *,
    explained: bool = True,
) -> Estimate:
    """The core's answer. Raises InvalidQuestion for what the question itself got wrong."""
    offer, deployment = core_facts(hardware, question)
    estimate = evaluate_one(model, offer, workload, deployment, efficiency(), explained=explained)
    refuse_question(estimate, question)
    return estimate


def core_facts(hardware: Hardware, question: Question) -> tuple[Offer, Deployment]:
    """Offer and deployment as the core takes them. Raises InvalidQuestion."""
    try:
        offer = offer_of(hardware.shape, hardware.sheet, chip_of(hardware.sheet))
        return offer, deployment_facts(question.deployment)
    except InvalidFact as error:
        raise InvalidQuestion(
            Fault(f"/overrides/{error.field}", "invalid", str(error), error.accepted)
        ) from None


def refuse_question(estimate: Estimate, question: Question) -> None:
    """Raise InvalidQuestion where the reason of a refusal is a fault of the question itself."""
    reason = estimate.reason
    if estimate.state == "refused" and reason is not None and reason.code in FAULTS_OF_THE_QUESTION:
        pointer, asked = FAULTS_OF_THE_QUESTION[reason.code], question.deployment
        if reason.field and reason.field.startswith("prefill"):
            pointer = "/deployment/" + reason.field.replace(".", "/")
        if reason.code == "unknown_format" and asked.kv_format and repr(asked.kv_format) in reason.detail:
            pointer = "/deployment/kv_format"
        raise InvalidQuestion(Fault(pointer, reason.code, reason.detail, list(reason.accepted) or None))


def find_quote(asked: PriceAsked, hardware: Hardware) -> QuoteUsed | None:
    """The offer's own quote, else the cheapest per chip of the accelerator's other offers, scaled."""
    if asked.usd_per_hour is not None or hardware.row is None:
        return None
    counts = dict(OfferRow.objects.filter(accelerator=hardware.row).values_list("pk", "count"))
    return quote_among(offer_prices(price_filter_of(asked), list(counts)), counts, hardware)


def price_filter_of(asked: PriceAsked) -> PriceFilter:
    """The quotes that a question about the price leaves."""
    return PriceFilter(
        pricing_model=asked.pricing_model,
        providers=(asked.provider,) if asked.provider else (),
        regions=(asked.region,) if asked.region else (),
        countries=(asked.country.upper(),) if asked.country else (),
        as_of=asked.as_of,
    )


def quote_among(
    prices: Mapping[int, QuoteUsed], counts: Mapping[int, int], hardware: Hardware
) -> QuoteUsed | None:
    """The quote of `find_quote` out of the prices of the accelerator's offers; `counts`: chips by offer."""
    if hardware.offer is not None:
        return prices.get(hardware.offer.pk)
    if not prices:
        return None
    pk, used = min(prices.items(), key=lambda item: item[1].usd_per_hour / counts[item[0]])
    return replace(
        used,
        usd_per_hour=used.usd_per_hour * hardware.shape.count / counts[pk],
        scaled_from=used.quoted_count,
    )
