"""What happens meanwhile: CPU time by kind of process, what backends wait for, which statements take time."""

from __future__ import annotations

import re
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Final, Self

import psutil
import psycopg
from django.db import connection

from config import backup, embedded

SAMPLE_EVERY_SECONDS: Final = 0.05

#: Statements by what they are for; the first pattern that fits. Foreign keys are checked at the commit.
KINDS: Final[tuple[tuple[str, str], ...]] = (
    ("COPY of results", r"^COPY incoming"),
    ("upsert of estimates", r"^\s*WITH texts|DELETE FROM (estimates_estimate|incoming_estimate)"),
    ("commit: foreign keys, WAL", r"^COMMIT"),
    ("statistics of results", r"^ANALYZE"),
    (
        "claims, guards, versions",
        r"FOR (NO KEY )?UPDATE|UPDATE \"?estimates_calculation|incoming_estimate \(",
    ),
    ("looking for work", r"\"estimates_calculation\""),
)
OTHER: Final = "other statements"
_BACKENDS: Final = """
    SELECT query, wait_event_type FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active'
      AND pid <> pg_backend_pid() AND application_name <> 'watch'
"""
_PLANNING: Final = """
    SELECT coalesce(sum(total_plan_time), 0) / 1000 FROM pg_stat_statements s
    JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()
"""


def cpu_seconds(pids: list[int]) -> dict[int, float]:
    """CPU time of these processes and their descendants by process id."""
    found = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
        except psutil.Error:
            continue
    return found


class Watch:
    """Samples from `with` to the end of it: CPU of groups of processes, statements of backends."""

    def __init__(self, workers: list[int]) -> None:
        self.postmaster = int((embedded.postgres_data_dir() / "postmaster.pid").read_text().split()[0])
        self._roots = {"workers": workers, "postgres": [self.postmaster]}
        self._first: dict[str, dict[int, float]] = {}
        self._last: dict[str, dict[int, float]] = {name: {} for name in self._roots}
        self.statements: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.looks = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        for name, roots in self._roots.items():
            self._first[name] = cpu_seconds(roots)
        self._busy = psutil.cpu_times()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_statements_reset()")
            cursor.execute("SELECT pg_current_wal_insert_lsn()")
            self._wal = cursor.fetchone()[0]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._take()
        after, before = psutil.cpu_times(), self._busy
        whole = sum(after) - sum(before)
        idle = (after.idle + after.iowait) - (before.idle + before.iowait)
        self.machine_busy = 1 - idle / whole if whole else 0.0
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [self._wal])
            self.wal_bytes = float(cursor.fetchone()[0])
            cursor.execute(_PLANNING)
            self.planning_seconds = float(cursor.fetchone()[0])

    def _take(self) -> None:
        for name, roots in self._roots.items():
            self._last[name] |= cpu_seconds(roots)

    def _sample(self) -> None:
        with backup.connect(application_name="watch") as own:
            own.autocommit = True
            while not self._end.wait(SAMPLE_EVERY_SECONDS):
                self._look(own)
                self._take()

    def _look(self, own: psycopg.Connection[Any]) -> None:
        self.looks += 1
        for query, wait in own.execute(_BACKENDS).fetchall():
            self.statements[next((n for n, pattern in KINDS if re.search(pattern, query)), OTHER)] += 1
            if wait:
                self.waits[wait] += 1

    def cpu(self, name: str) -> float:
        """CPU seconds of the group of processes between the two ends, ended processes included."""
        first = self._first[name]
        return sum(at - first.get(pid, 0.0) for pid, at in self._last[name].items())

    def shares(self, processes: int) -> dict[str, float]:
        """The share of the processes' time that their backends were found in each kind of statement."""
        seen = max(1, self.looks * processes)
        return {name: self.statements[name] / seen for name in (*(kind for kind, _ in KINDS), OTHER)}

    def wait_shares(self, processes: int) -> dict[str, float]:
        """Of that, the share found waiting, by Postgres's name of what for: Lock, LWLock, IO, Client."""
        seen = max(1, self.looks * processes)
        return {name: self.waits[name] / seen for name in ("Lock", "LWLock", "IO", "Client")}
