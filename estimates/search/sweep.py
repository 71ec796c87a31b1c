"""A search too large to answer at once, as a job: how its question is split, its parts made and merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from estimates.search.answering import Asked, Case, answer_one, cases_of, header
from estimates.search.merging import merged, shrunk
from estimates.search.question import Load, SearchQuestion, read_search
from estimates.search.subjects import subjects
from estimates.what_if import InlineModel


def split(data: dict[str, Any]) -> list[dict[str, Any]]:
    """One part a model, workload and load. Raises InvalidQuestion for whatever its parts would fail on."""
    question = read_search(data)
    cases = cases_of(question)
    Asked.of(question)
    if isinstance(question.model, InlineModel):
        subjects(question, [])
    return [{"model": case.model, "workload": case.workload, **case.load.as_json()} for case in cases]


def prepare(data: dict[str, Any]) -> Asked:
    """What the parts of one job share, read once by a process that makes several."""
    return Asked.of(read_search(data))


def make(
    asked: Asked, part: dict[str, Any], parts: int, check: Callable[[], None]
) -> tuple[dict[str, Any], int]:
    """One of so many parts: its answer, bounded, and the configurations evaluated."""
    check()
    case = Case(part["model"], part["workload"], Load(part["concurrency"], part["requests_per_s"]))
    found = subjects(asked.question, [case.model])
    if not found:
        raise LookupError(f"the model {case.model} is gone from the catalogue")
    answer = shrunk(answer_one(asked, found[0], case), parts)
    return answer, answer["configurations"]


def merge(
    data: dict[str, Any],
    answers: Iterable[dict[str, Any]],
    failed: Sequence[dict[str, Any]],
    dropped: int,
    seconds: float,
) -> dict[str, Any]:
    """The answer to the whole question, of the parts made."""
    question: SearchQuestion = read_search(data)
    return merged(answers, header(question), question.limit, failed=failed, dropped=dropped, seconds=seconds)
