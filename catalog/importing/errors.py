"""Errors in data files: what is wrong, where, and what would be accepted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a data file; `file` is the path as printed to the user."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the field (dotted path inside the record), the value found, and what is accepted instead."""

    place: Place
    field: str
    value: Any
    accepted: str

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 120:
            shown = shown[:117] + "..."
        return f"{self.place}: {self.field}: {shown} is not accepted; accepted: {self.accepted}"


class Problems:
    """Collects every fault of a load, so that a contributor mends a file once, not line by line."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, place: Place, field: str, value: Any, accepted: str) -> None:
        self._found.append(Problem(place, field, value, accepted))

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._found, key=lambda problem: (problem.place.file, problem.place.line)))

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise `DataFilesError` when anything was found."""
        if self._found:
            raise DataFilesError(list(self))


class DataFilesError(Exception):
    """The data files hold faults; nothing was loaded."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} fault(s) in the data files; nothing was loaded")
        self.problems = problems
