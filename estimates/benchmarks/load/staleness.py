"""How long estimates are older than the facts: from an acknowledged edit to the last new calculation."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

EVERY_SECONDS: Final = 0.2
OLDEST: Final = """
SELECT accelerator.slug, min(calculation.accelerator_version)
FROM estimates_calculation calculation
JOIN catalog_accelerator accelerator ON accelerator.id = calculation.accelerator_id
WHERE accelerator.slug = ANY(%s)
GROUP BY accelerator.slug
"""


@dataclass(slots=True)
class Edit:
    """One acknowledged edit: the version of the accelerator that it made, and when it was answered."""

    accelerator: str
    version: int
    acknowledged: float


@dataclass(slots=True)
class StalenessWatch:
    """Asks the database for the oldest version that any calculation of an edited accelerator was made from.

    An edit has converged when none is older than it: a later edit of the same accelerator covers it.
    """

    connection: dict[str, Any]
    open: list[Edit] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    fault: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="staleness", daemon=True)
        self._thread.start()

    def note(self, accelerator: str, version: int) -> None:
        with self._lock:
            self.open.append(Edit(accelerator, version, time.monotonic()))

    def stop(self, patience_seconds: float) -> None:
        """Wait for what is open, as long as the patience lasts; what is left stays in `open`."""
        deadline = time.monotonic() + patience_seconds
        while self.open and time.monotonic() < deadline and not self.fault:
            time.sleep(EVERY_SECONDS)
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        try:
            with psycopg.connect(**self.connection, autocommit=True) as connection:
                while not self._stop.wait(EVERY_SECONDS):
                    self._look(connection)
        except psycopg.Error as error:
            self.fault = f"staleness could not be watched: {error}"

    def _look(self, connection: psycopg.Connection) -> None:
        with self._lock:
            waiting = list(self.open)
        if not waiting:
            return
        asked = [list({edit.accelerator for edit in waiting})]
        oldest: dict[str, int] = dict(connection.execute(OLDEST, asked).fetchall())
        now = time.monotonic()
        with self._lock:
            for edit in waiting:
                if oldest.get(edit.accelerator, 0) >= edit.version:
                    self.open.remove(edit)
                    self.seconds.append(now - edit.acknowledged)
