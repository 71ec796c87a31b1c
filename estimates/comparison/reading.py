"""Reading a body: the checked question, or every fault of it with its pointer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from estimates.what_if import Fault, InvalidQuestion, faults_of, fields_below


def read[M: BaseModel](kind: type[M], data: Any) -> M:
    """Plain JSON values as a question of that kind. Raises InvalidQuestion with every fault found."""
    if not isinstance(data, Mapping):
        raise InvalidQuestion(Fault("", "not_an_object", "the body is not an object", "an object"))
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InvalidQuestion(*faults_of(error, data, lambda place: fields_below(kind, place))) from None


def below(error: InvalidQuestion, place: str) -> list[Fault]:
    """The faults of a part of a body, with the part's place before each pointer."""
    return [Fault(place + fault.pointer, fault.code, fault.detail, fault.accepted) for fault in error.faults]
