"""A what-if answered at once: stored or inline model and chip, any figure overridden, nothing saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from estimates import answers
from estimates.accuracy.standing import standing
from estimates.asked_hardware import Hardware, facts_used, find_hardware
from estimates.asked_model import deployment_facts, find_model, find_workload, with_units
from estimates.core.estimate import Estimate, evaluate_one
from estimates.core.facts import Deployment, InvalidFact, ModelFacts, Offer
from estimates.core.facts import Workload as CoreWorkload
from estimates.economics.pricing import Priced, basis_of, find_price
from estimates.economics.pricing import find_quote as find_quote
from estimates.economics.pricing import price_filter_of as price_filter_of
from estimates.economics.pricing import quote_among as quote_among
from estimates.economics.report import Case, economics
from estimates.fact_book import FactBook
from estimates.from_catalog import chip_of, offer_of
from estimates.method import efficiency
from estimates.what_if import Fault, InvalidQuestion, Question, read_question

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
    "no_mtp": "/deployment/speculation/method",
    "draft_model": "/deployment/speculation/draft_model",
    "draft_weights": "/deployment/speculation/draft_weights",
    "unknown_unit": "/deployment/decode_unit",
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
    return whole_answer(estimate, model, hardware, workload, question, find_price(question, hardware))


def whole_answer(
    estimate: Estimate,
    model: ModelFacts,
    hardware: Hardware,
    workload: CoreWorkload,
    question: Question,
    priced: Priced,
) -> dict[str, Any]:
    """An estimate with its facts, the error of its like, and its economics."""
    found = answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=hardware.sheet,
        shape=hardware.shape,
        facts=facts_used(hardware),
        quote=priced.quote,
        own_price=priced.own,
        notes=hardware.notes,
    )
    found |= standing(estimate, model, workload, hardware.sheet, hardware.shape)
    case = case_of(estimate, model, hardware, workload, question)
    return found | {"economics": economics(case, priced, basis_of(question), question.economics)}


def case_of(
    estimate: Estimate, model: ModelFacts, hardware: Hardware, workload: CoreWorkload, question: Question
) -> Case:
    """The estimate as its economics see it; other lengths are asked of the core as the question stands."""
    rate, width = estimate.throughput_output_tok_s, estimate.interval.get("throughput_output_tok_s")

    def again(isl: int, osl: int) -> float | None:
        moved = replace(workload, isl=isl, osl=osl)
        try:
            return estimate_of(model, hardware, moved, question, explained=False).throughput_output_tok_s
        except InvalidQuestion:
            return None

    return Case(
        hardware=hardware,
        isl=workload.isl,
        osl=workload.osl,
        output_tok_s=rate or None,
        low_tok_s=width.low if width else None,
        high_tok_s=width.high if width else None,
        cached_share=workload.prefix_share,
        prefill_share=answers.prompt_share(estimate, workload, rate) if rate else None,
        stored_model=question.model if isinstance(question.model, str) else None,
        again=again,
    )


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
        chip = with_units(chip_of(hardware.sheet), question.units)
        offer = offer_of(hardware.shape, hardware.sheet, chip)
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
        if reason.field and reason.field.startswith(("prefill.", "speculation.")):
            pointer = "/deployment/" + reason.field.replace(".", "/")
        if reason.code == "unknown_unit" and reason.field:
            pointer = f"/deployment/{reason.field}"
        if reason.code == "unknown_format" and asked.kv_format and repr(asked.kv_format) in reason.detail:
            pointer = "/deployment/kv_format"
        accepted = list(reason.accepted) or "another value, or none"
        raise InvalidQuestion(Fault(pointer, reason.code, reason.detail, accepted))
