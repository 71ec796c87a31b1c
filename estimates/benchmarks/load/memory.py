"""Memory of the service's processes over time, by role.

What counts is the proportional set (PSS): pages that forked workers share are counted once, so the roles add
up. Of Postgres only resident memory that is not shared is judged: `shared_buffers` fills with pages of the
database up to its configured size, which is what it is for; it is reported beside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

import psutil

EVERY_SECONDS: Final = 5.0
#: Growth of the last quarter over the first that still counts as flat.
FLAT_WITHIN: Final = 0.10
#: Start-up, first answers of each kind, caches: not looked at.
WARM_UP_SHARE: Final = 0.2
WARM_UP_AT_MOST_SECONDS: Final = 180.0


def family(pid: int) -> list[psutil.Process]:
    """The process and all its descendants that live."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def megabytes(pid: int, *, own: bool) -> float:
    """Memory of a process and its descendants, 1e6 bytes: what is not shared, or the proportional set."""
    total = 0
    for process in family(pid):
        try:
            if own:
                held = process.memory_info()
                total += held.rss - getattr(held, "shared", 0)
            else:
                found = process.memory_full_info()
                total += getattr(found, "pss", found.rss)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return total / 1e6


@dataclass(slots=True)
class MemoryWatch:
    """Samples each role's memory until `stop`. `roots` are role -> pid."""

    roots: Mapping[str, int]
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            now = time.monotonic()
            for role, pid in self.roots.items():
                if role == "postgres":
                    self._add(role, now, megabytes(pid, own=True))
                    self._add("postgres with shared buffers", now, megabytes(pid, own=False))
                else:
                    self._add(role, now, megabytes(pid, own=False))

    def _add(self, role: str, at: float, value: float) -> None:
        self.samples.setdefault(role, []).append((at, value))

    def latest(self) -> dict[str, float]:
        return {role: samples[-1][1] for role, samples in self.samples.items() if samples}

    def quarters(self, began: float, ended: float) -> dict[str, dict[str, float]]:
        """Role -> means of the first and last quarter after warm-up, in MB, and how they compare."""
        start = began + min(WARM_UP_SHARE * (ended - began), WARM_UP_AT_MOST_SECONDS)
        quarter = (ended - start) / 4
        found: dict[str, dict[str, float]] = {}
        for role, samples in self.samples.items():
            first = [value for at, value in samples if start <= at < start + quarter]
            last = [value for at, value in samples if ended - quarter <= at <= ended]
            if not (first and last):
                continue
            found[role] = {
                "first_quarter_mb": round(fmean(first), 1),
                "last_quarter_mb": round(fmean(last), 1),
                "most_mb": round(max(value for _, value in samples), 1),
                "growth": round(fmean(last) / fmean(first) - 1, 4),
            }
        return found
