"""Readers: a few clients in a closed loop, each at its share of a rate, until they are told to stop."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

from estimates.benchmarks.load.client import Asked, HttpClient
from estimates.benchmarks.load.mix import Reader, Subjects

FAULTS_KEPT = 20


@dataclass(slots=True)
class Tally:
    """Samples of all clients: (kind, begin, seconds, status), and what went wrong."""

    samples: list[tuple[str, float, float, int]] = field(default_factory=list)
    failures: int = 0
    faults: list[str] = field(default_factory=list)
    resent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, asked: Asked, began: float, seconds: float, status: int, fault: str) -> None:
        with self.lock:
            self.samples.append((asked.kind, began, seconds, status))
            if fault:
                self.failures += 1
                if len(self.faults) < FAULTS_KEPT:
                    self.faults.append(f"{asked.kind}: {asked.method} {asked.path[:150]}: {fault[:300]}")


class Readers:
    """Threads that read until `stop`; the rate is that of all of them."""

    def __init__(
        self,
        host: str,
        port: int,
        subjects: Subjects,
        shares: dict[str, int],
        *,
        clients: int,
        rate: float,
        keep: bool,
        tally: Tally,
        seed: int = 1,
    ) -> None:
        self._stop = threading.Event()
        self._tally = tally
        self._threads = [
            threading.Thread(
                target=self._read,
                args=(
                    HttpClient(host, port, keep=keep),
                    Reader(subjects, shares, random.Random(seed * 1000 + number)),
                    clients / rate,
                    number / rate,
                ),
                name=f"reader {number}",
                daemon=True,
            )
            for number in range(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, client: HttpClient, reader: Reader, every: float, after: float) -> None:
        """Ask, wait for the whole answer, rest until the next is due: one that is late begins at once."""
        due = time.monotonic() + after
        try:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due = max(due + every, time.monotonic())
                asked = reader.next()
                answer = client.send(asked)
                try:
                    fault = reader.fault(asked, answer)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    fault = f"an answer of another form: {type(error).__name__} {error}"
                self._tally.add(asked, answer.began, answer.seconds, answer.status, fault)
        finally:
            client.close()
            with self._tally.lock:
                self._tally.resent += client.resent
