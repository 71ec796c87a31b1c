"""Kills of a trial: SIGKILL of processes and servers, of single backends of Postgres, at planned points."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import psutil
import psycopg
from django.db import connection

from config import embedded
from tests.faults.ledger import Ledger
from tests.faults.plan import Kill, Plan
from tests.faults.service import Service

#: A victim that is not up yet, because it was killed just before, is waited for so long.
WAIT_SECONDS: Final = 6.0
BROKER_DOWN_SECONDS: Final = 0.7


class Killing:
    """The kills of one seed under way: each is due once so many edits have begun."""

    def __init__(self, plan: Plan, service: Service, ledger: Ledger) -> None:
        self.plan, self.service, self.ledger = plan, service, ledger
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="killer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """No kill after this returns; those that are due and not done are counted as missed."""
        self._stop.set()
        self._thread.join(WAIT_SECONDS + 5)

    def _work(self) -> None:
        for kill in self.plan.kills:
            while self.ledger.begun < kill.after_edits:
                if self._stop.wait(0.01):
                    break
            deadline = time.monotonic() + WAIT_SECONDS
            while not self._execute(kill):
                if time.monotonic() > deadline or self._stop.wait(0.05):
                    self.missed[kill.victim] += 1
                    break
            else:
                self.done[kill.victim] += 1

    def _execute(self, kill: Kill) -> bool:
        members = self.service.members
        workers = self.service.workers
        worker = workers[int(kill.draw * len(workers))]
        by_victim: dict[str, Callable[[], bool]] = {
            "worker": worker.kill,
            "pool child": lambda: _kill_one(worker.children(), kill.draw),
            "broker": lambda: self.service.kill_broker(
                with_its_data=False, down_seconds=kill.draw * BROKER_DOWN_SECONDS
            ),
            "broker and its data": lambda: self.service.kill_broker(
                with_its_data=True, down_seconds=kill.draw * BROKER_DOWN_SECONDS
            ),
            "beat": members["beat"].kill,
            "web": members["web"].kill,
            "web child": lambda: _kill_one(members["web"].children(), kill.draw),
            "backend killed": lambda: _end_backend(kill.draw, by_signal=True),
            "backend terminated": lambda: _end_backend(kill.draw, by_signal=False),
        }
        return by_victim[kill.victim]()


def _kill_one(processes: Sequence[psutil.Process], draw: float) -> bool:
    if not processes:
        return False
    with suppress(psutil.NoSuchProcess):
        processes[int(draw * len(processes))].kill()
        return True
    return False


def connect(name: str) -> psycopg.Connection[Any]:
    """A connection to the trial's database that says who it is."""
    return psycopg.connect(
        host=str(embedded.socket_dir()),
        user=embedded.POSTGRES_USER,
        dbname=str(connection.settings_dict["NAME"]),
        autocommit=True,
        application_name=name,
        connect_timeout=10,
    )


def _end_backend(draw: float, *, by_signal: bool) -> bool:
    """End one backend of the web server, a worker or an editor: first whom, then one in the midst of work."""
    try:
        with connect("killer") as own:
            rows = own.execute(
                "SELECT split_part(application_name, '-', 1), pid, state <> 'idle' FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND datname = current_database() "
                "AND application_name ~ '^(web|worker|editor)' ORDER BY 1, 2"
            ).fetchall()
            names = sorted({name for name, _, _ in rows})
            if not names:
                return False
            name = names[int(draw * len(names))]
            mine = [(pid, busy) for of, pid, busy in rows if of == name]
            pid = next((pid for pid, busy in mine if busy), mine[0][0])
            if not by_signal:
                row = own.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone()
                return bool(row and row[0])
            os.kill(pid, signal.SIGKILL)
            return True
    except (psycopg.Error, ProcessLookupError):
        return False
