"""What a schedule may say: its cron expression, its zone, and the parameters that its kind accepts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from estimates.schedules import kinds, slots
from estimates.schedules.kinds import InvalidParameters
from estimates.schedules.models import ScheduleKind


@dataclass(frozen=True, slots=True)
class DefinitionFault:
    """One thing wrong: the field of the schedule, the path inside its parameters, what is accepted."""

    field: str
    path: tuple[str | int, ...]
    value: Any
    accepted: str

    def __str__(self) -> str:
        name = ".".join(map(str, self.path))
        shown = repr(self.value)[:120]
        given = f"{shown} is not accepted; accepted: {self.accepted}"
        return f"{name}: {given}" if name else given


def faults_of(kind: str, parameters: Any, cron: str, time_zone: str) -> list[DefinitionFault]:
    """Everything that is wrong with a definition; an empty list where it can run."""
    faults = list(_faults_of_slots(cron, time_zone))
    if kind not in ScheduleKind.values:
        faults.append(DefinitionFault("kind", (), kind, ", ".join(ScheduleKind.values)))
    else:
        faults += faults_of_parameters(kind, parameters)
    return faults


def _faults_of_slots(cron: str, time_zone: str) -> Iterator[DefinitionFault]:
    try:
        slots.zone_named(time_zone)
    except slots.InvalidSlots as error:
        yield DefinitionFault(error.field, (), error.value, error.accepted)
        time_zone = "UTC"
    try:
        slots.check(cron, time_zone)
    except slots.InvalidSlots as error:
        yield DefinitionFault(error.field, (), error.value, error.accepted)


def faults_of_parameters(kind: str, parameters: Any) -> list[DefinitionFault]:
    """What the kind does not accept of its parameters."""
    try:
        kinds.read_parameters(kind, parameters)
    except InvalidParameters as error:
        return [DefinitionFault("parameters", error.path, error.value, error.accepted)]
    except ValidationError as error:
        return [
            DefinitionFault(
                "parameters",
                tuple(fault["loc"]),
                "" if fault["type"] == "missing" else fault["input"],
                _accepted(kind, fault),
            )
            for fault in error.errors(include_url=False)
        ]
    return []


def _accepted(kind: str, fault: Any) -> str:
    described = kinds.described_parameters(kind)
    if fault["type"] == "extra_forbidden":
        return f"no such parameter; {described}"
    if fault["type"] == "missing":
        return f"a value (required); {described}"
    if not fault["loc"]:
        return described
    return str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
