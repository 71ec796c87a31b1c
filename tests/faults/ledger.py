"""What the editors wrote down: each edit, the values it wrote, and whether it was acknowledged."""

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.faults.plan import Edit


class Outcome(StrEnum):
    """An edit of unknown fate may or may not have landed; it is neither required nor forbidden."""

    ACKNOWLEDGED = "acknowledged"
    UNKNOWN = "unknown"
    NOT_MADE = "not made"  # refused, or never sent


@dataclass(frozen=True, slots=True)
class Write:
    """One value that an edit gives to one column of one row; `pk` 0 and `insert` for a row that it adds."""

    table: str  # model name in lower case
    pk: int
    column: str
    value: Any
    insert: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit as its client saw it. `request_id` and `reason` are what it sent, empty where it sent none."""

    edit: Edit
    outcome: Outcome
    writes: tuple[Write, ...]
    request_id: str = ""
    reason: str = ""
    said: str = ""  # what was answered, where it was no acknowledgement
    position: int = 0  # in the order of the ends


@dataclass
class Ledger:
    """Entries in the order in which the edits ended; edits of one row end in the order of their commits."""

    entries: list[Entry] = field(default_factory=list)
    begun: int = 0
    last_acknowledged_at: float = 0.0
    conflicts: int = 0  # answers of 412, each read again
    deadlocks: int = 0
    answers_of_500: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        with self._lock:
            self.begun += 1

    def end(
        self,
        edit: Edit,
        outcome: Outcome,
        writes: tuple[Write, ...],
        *,
        request_id: str = "",
        reason: str = "",
        said: str = "",
    ) -> None:
        with self._lock:
            entry = Entry(edit, outcome, writes, request_id, reason, said, len(self.entries))
            self.entries.append(entry)
            if outcome == Outcome.ACKNOWLEDGED:
                self.last_acknowledged_at = time.monotonic()
            if said.startswith("500"):
                self.answers_of_500.append(f"edit {edit.number} ({edit.way} {edit.row}): {said}")

    def count_conflict(self) -> None:
        with self._lock:
            self.conflicts += 1

    def count_deadlock(self) -> None:
        with self._lock:
            self.deadlocks += 1

    def of(self, outcome: Outcome) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome == outcome]
