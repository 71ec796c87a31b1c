"""A batch: models x offers x workloads and any list of what-ifs, answered in one call.

Facts are read once, each answer stands on its own: what one question gets wrong is the error at its index and
takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from estimates.comparison.book import BulkBook
from estimates.comparison.reading import read
from estimates.comparison.short_answers import short_answer
from estimates.evaluate import estimate_of, whole_answer
from estimates.what_if import (
    POOL_WORK,
    SENSITIVITY_WORK,
    DeploymentAsked,
    Fault,
    InvalidQuestion,
    PriceAsked,
    Question,
    Slug,
    WorkloadAsked,
    read_question,
    work_of,
)

MOST_ANSWERS: Final = 200
#: With formulas, facts with sources and the nearest measured runs, each several times the work.
MOST_EXPLAINED: Final = 50


class BatchAsked(BaseModel):
    """Every model on every offer under every workload, with one deployment and price; then `questions`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[Slug] = Field(default_factory=list, max_length=MOST_ANSWERS)
    offers: list[Slug] = Field(default_factory=list, max_length=MOST_ANSWERS)
    workloads: list[Slug] = Field(default_factory=lambda: ["chat"], min_length=1, max_length=MOST_ANSWERS)
    workload_overrides: WorkloadAsked = WorkloadAsked()
    deployment: DeploymentAsked = DeploymentAsked()
    price: PriceAsked = PriceAsked()
    questions: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=MOST_ANSWERS,
        description="what-ifs as POST /estimates/evaluate takes",
    )
    explained: bool = Field(
        default=False, description="with facts, formulas, elasticities and evidence, as /estimates/evaluate"
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question of the batch: how it was named, and itself or what is wrong with it."""

    named: dict[str, Any]
    question: Question | None
    faults: tuple[Fault, ...] = ()


def answer_batch(data: Any) -> dict[str, Any]:
    """The answers by index. Raises InvalidQuestion for the batch itself: its shape, its size."""
    asked = read(BatchAsked, data)
    if bool(asked.models) != bool(asked.offers):
        lacking = "offers" if asked.models else "models"
        detail = f"models and offers are crossed: {lacking} is empty"
        raise InvalidQuestion(Fault(f"/{lacking}", "empty", detail, "a list of slugs"))
    size = len(asked.models) * len(asked.offers) * len(asked.workloads) + len(asked.questions)
    most = MOST_EXPLAINED if asked.explained else MOST_ANSWERS
    if not 1 <= size <= most:
        accepted = f"1 to {most} answers" + (" where explained" if asked.explained else "")
        detail = f"the batch asks for {size:,} answers"
        raise InvalidQuestion(Fault("", "batch_size", detail, accepted))
    wanted = [*_crossed(asked), *_listed(asked)]
    work = sum(work_of(one.question) for one in wanted if one.question is not None)
    if work > most:
        accepted = f"the work of {most} plain answers: a prefill pool is {POOL_WORK}, sensitivity times "
        accepted += str(SENSITIVITY_WORK)
        raise InvalidQuestion(
            Fault("", "batch_work", f"the batch is the work of {work:,} plain answers", accepted)
        )
    book = BulkBook([one.question for one in wanted if one.question is not None])
    results = [
        {"index": index, "asked": one.named} | _answered(one, book, asked.explained)
        for index, one in enumerate(wanted)
    ]
    failed = sum(row["answer"] is None for row in results)
    return {"count": len(results), "answered": len(results) - failed, "failed": failed, "results": results}


def _crossed(asked: BatchAsked) -> list[_Asked]:
    if not asked.models:
        return []
    shared = Question(
        model="-",
        offer="-",
        workload_overrides=asked.workload_overrides,
        deployment=asked.deployment,
        price=asked.price,
    )
    found = []
    for model, offer, workload in product(asked.models, asked.offers, asked.workloads):
        named = {"model": model, "offer": offer, "workload": workload}
        found.append(_Asked(named, shared.model_copy(update=named)))
    return found


def _listed(asked: BatchAsked) -> list[_Asked]:
    found = []
    for position, data in enumerate(asked.questions):
        named = {"question": position}
        try:
            found.append(_Asked(named, read_question(data)))
        except InvalidQuestion as error:
            found.append(_Asked(named, None, tuple(error.faults)))
    return found


def _answered(one: _Asked, book: BulkBook, explained: bool) -> dict[str, Any]:
    if one.question is None:
        return {"answer": None, "errors": [fault.as_json() for fault in one.faults]}
    try:
        return {"answer": _answer(one.question, book, explained), "errors": []}
    except InvalidQuestion as error:
        return {"answer": None, "errors": [fault.as_json() for fault in error.faults]}


def _answer(question: Question, book: BulkBook, explained: bool) -> Mapping[str, Any]:
    hardware, model, workload = (
        book.hardware_of(question),
        book.model_of(question),
        book.workload_of(question),
    )
    estimate = estimate_of(model, hardware, workload, question, explained=explained)
    priced = book.price_of(question, hardware)
    if explained:
        return whole_answer(estimate, model, hardware, workload, question, priced)
    return short_answer(estimate, model, workload, hardware, priced)
