"""The questions that a claim asks: what it states, in every combination of what it leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from catalog.claim_parameters import AXIS_KEYS, PLAIN_AXES, AnswerAsked, ClaimParameters
from catalog.models import PublishedClaim
from estimates.claims.rows import UnanswerableClaim

Question = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination of the open conditions: its words, the alternatives of each side as what-ifs."""

    conditions: dict[str, str]
    questions: list[Question]
    against: list[Question]


def parameters_of(claim: PublishedClaim) -> ClaimParameters:
    """Raises UnanswerableClaim for parameters that no editor's form would take."""
    try:
        return ClaimParameters.model_validate(claim.parameters)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise UnanswerableClaim(f"parameters: {place}: {first['msg']}") from None


def asked_of(claim: PublishedClaim, parameters: ClaimParameters) -> AnswerAsked:
    """How the claim is to be answered. Raises UnanswerableClaim where it does not say."""
    if parameters.answer is None:
        raise UnanswerableClaim("how to answer it: its parameters have no `answer`")
    return parameters.answer


def combinations(claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked) -> list[Combination]:
    """Every combination of the open conditions, in the order of the axes."""
    stated = stated_by(claim, parameters)
    ours = merged(stated, asked.question)
    theirs = merged(shared_by(ours), asked.against.question) if asked.against else {}
    axes = dict(asked.over)
    if parameters.batch and "concurrency" not in axes and not concurrency_in(ours):
        axes["concurrency"] = sorted(set(parameters.batch))
    found = []
    for labels, values in products(axes):
        question, other = ours, theirs
        for name, value in values:
            question = merged(question, part_of(name, value))
            other = merged(other, against_of(name, value))
        alternatives = list(alternatives_of(question, asked.best_of))
        against = list(alternatives_of(other, asked.against.best_of)) if asked.against else []
        found.append(Combination(labels, alternatives, against))
    return found


def stated_by(claim: PublishedClaim, parameters: ClaimParameters) -> Question:
    """What the claim itself says, as a part of a what-if."""
    question: Question = {"workload": {}, "deployment": {}}
    if claim.language_model is not None:
        question["model"] = claim.language_model.slug
    if claim.accelerator is not None:
        question["accelerator"] = claim.accelerator.slug
        count = parameters.count or (claim.system.accelerator_count if claim.system else None)
        question["count"] = count or 1
    if parameters.weight_format:
        question["deployment"]["weights"] = parameters.weight_format
    for name in ("isl", "osl", "ttft_limit_ms", "tpot_limit_ms"):
        value = getattr(parameters, name)
        if value is not None:
            question["workload"][name] = value
    if parameters.tok_s_per_user and parameters.tpot_limit_ms is None:
        question["workload"]["tpot_limit_ms"] = 1e3 / parameters.tok_s_per_user
    return question


def shared_by(question: Question) -> Question:
    """What both sides of a ratio share: the model and the requests, not the hardware and its formats."""
    kept: Question = {name: question[name] for name in ("model", "workload") if name in question}
    return kept | {"deployment": {}}


def concurrency_in(question: Question) -> bool:
    return (question.get("deployment") or {}).get("concurrency") is not None


def products(axes: Mapping[str, list[Any]]) -> Iterator[tuple[dict[str, str], list[tuple[str, Any]]]]:
    """Every combination of values, with its words."""
    for values in product(*axes.values()):
        pairs = list(zip(axes, values, strict=True))
        yield {name: label(value) for name, value in pairs}, pairs


def alternatives_of(question: Question, axes: Mapping[str, list[Any]]) -> Iterator[Question]:
    for _, pairs in products(axes):
        one = question
        for name, value in pairs:
            one = merged(one, part_of(name, value))
        yield one


def part_of(name: str, value: Any) -> Question:
    """A value of an axis as a part of a question."""
    if isinstance(value, Mapping):
        return {key: inner for key, inner in value.items() if key not in AXIS_KEYS}
    part: Any = value
    for key in reversed(PLAIN_AXES[name]):
        part = {key: part}
    return dict(part)


def against_of(name: str, value: Any) -> Question:
    """What the other side of a ratio has of a shared axis: the same, where nothing else is said."""
    if isinstance(value, Mapping) and "against" in value:
        return dict(value["against"] or {})
    return part_of(name, value)


def merged(base: Mapping[str, Any], part: Mapping[str, Any]) -> Question:
    """The question with a part laid over it, mappings inside mappings."""
    found = dict(base)
    for key, value in part.items():
        below = found.get(key)
        deep = isinstance(value, Mapping) and isinstance(below, Mapping)
        found[key] = merged(below, value) if deep else value  # type: ignore[arg-type]  # both are mappings
    return found


def label(value: Any) -> str:
    """A value of an axis in words."""
    if not isinstance(value, Mapping):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if "label" in value:
        return str(value["label"])
    if "accelerator" in value:
        count = value.get("count", 1)
        return f"{count} x {value['accelerator']}" if count > 1 else str(value["accelerator"])
    inner = value.get("workload")
    if isinstance(inner, Mapping) and "isl" in inner and "osl" in inner:
        return f"{inner['isl']}/{inner['osl']}"
    return ", ".join(f"{key} {label(part)}" for key, part in value.items() if key not in AXIS_KEYS)
