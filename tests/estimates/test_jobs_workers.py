"""Jobs on real workers: processes on the real broker share a job, and one of them is killed in mid-part."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from config import embedded
from estimates.jobs import lifecycle
from estimates.jobs.models import Job, JobPart, JobState, PartState
from estimates.search.answering import search_now
from tests.estimates.conftest import build
from tests.estimates.test_jobs import without_times

LEASE_SECONDS = 2
SECONDS = 120.0  # a loaded machine starts a worker slowly
QUESTION: dict[str, Any] = {
    "model": ["llama-3.1-8b-instruct", "llama-3.1-70b-instruct"],
    "workload": "chat",
    "demand": {"concurrency": list(range(1, 16))},
    "price": {"basis": "none"},
}
pytestmark = pytest.mark.django_db(transaction=True)


def environment() -> dict[str, str]:
    """The test's database for a process of its own, and a short lease."""
    name = str(connection.settings_dict["NAME"])
    own = {"DATABASE_NAME": name, "ATLAS_JOB_LEASE_SECONDS": str(LEASE_SECONDS)}
    if url := os.environ.get("DATABASE_URL"):
        own["DATABASE_URL"] = re.sub(r"/[^/?]+(\?|$)", rf"/{name}\1", url)
    return {**os.environ, **own}


class Workers:
    """Worker processes on the test's queue, and hints sent to them as beat does."""

    def __init__(self, queue: str, log: Path) -> None:
        self.queue = queue
        self.log = log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str) -> subprocess.Popen[bytes]:
        queues = f"{self.queue},atlas.{connection.settings_dict['NAME']}"
        options = ["--pool", "solo", "-Q", queues, "-n", f"{name}@%h", "--without-mingle", "--without-gossip"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-l", "WARNING", *options],
                cwd=settings.BASE_DIR,
                env=environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.running.append(process)
        return process

    def hint_until(self, condition: Callable[[], bool]) -> None:
        """Send a hint every 0.2 s until the condition holds; fails after SECONDS."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            current_app.send_task("estimates.work_on_jobs", expires=2)
            time.sleep(0.2)

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture
def workers(queue_of_the_tests: str, tmp_path: Path) -> Iterator[Workers]:
    embedded.ensure_valkey()
    broker = Redis(unix_socket_path=str(embedded.valkey_socket()))
    broker.delete(queue_of_the_tests, f"atlas.{connection.settings_dict['NAME']}")
    found = Workers(queue_of_the_tests, tmp_path / "workers.log")
    yield found
    found.end()


def start(question: dict[str, Any] = QUESTION) -> Job:
    return lifecycle.start_job("search", question, hint=False)


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.state not in lifecycle.ACTIVE


def test_a_worker_killed_in_mid_part_costs_nothing_but_its_lease(workers: Workers) -> None:
    """Stopped while it holds a part, killed, and another worker ends the job with the same answer."""
    build()
    expected = without_times(search_now(QUESTION))
    job = start()
    first = workers.start("first")
    held = JobPart.objects.filter(job=job, state=PartState.RUNNING)

    def stopped_in_mid_part() -> bool:
        job.refresh_from_db()
        if job.parts_done < 3:
            return False
        first.send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # a statement that is under way is committed
        if held.exists():
            return True
        first.send_signal(signal.SIGCONT)
        return False

    workers.hint_until(stopped_in_mid_part)
    lost = held.get()
    made = job.pieces.filter(state=PartState.DONE).count()
    assert 3 <= made < job.parts
    first.kill()
    first.wait()
    workers.start("second")
    workers.hint_until(lambda: ended(job))
    assert (job.state, job.parts_done, job.parts_failed) == (JobState.DONE, job.parts, 0)
    taken = job.pieces.get(pk=lost.pk)
    assert (taken.state, taken.attempts) == (PartState.DONE, 2)
    assert taken.worker != lost.worker
    assert job.pieces.filter(attempts=1).count() == job.parts - 1
    assert without_times(job.result) == expected
    assert job.configurations == expected["configurations"]


def test_two_workers_share_the_parts_of_a_job(workers: Workers) -> None:
    build()
    many = QUESTION | {"demand": {"concurrency": list(range(1, 21))}}
    warm = start(QUESTION | {"demand": {"concurrency": [1, 2, 3, 4]}})
    workers.start("left")
    workers.start("right")

    def both_are_there() -> bool:
        replies = current_app.control.ping(timeout=0.5) or []
        return len(replies) >= 2 and ended(warm)

    workers.hint_until(both_are_there)
    job = start(many)
    workers.hint_until(lambda: ended(job))
    by_worker = set(job.pieces.values_list("worker", flat=True))
    assert len(by_worker) == 2
    assert set(job.pieces.values_list("state", "attempts")) == {(PartState.DONE, 1)}
    assert job.parts_done == job.parts == 40


def test_a_job_cancelled_while_a_worker_makes_it_stops(workers: Workers) -> None:
    build()
    job = start()
    workers.start("only")

    def begun() -> bool:
        job.refresh_from_db()
        return job.parts_done >= 2

    workers.hint_until(begun)
    lifecycle.cancel(job.pk)
    asked = timezone.now()
    running = job.pieces.filter(state=PartState.RUNNING)
    workers.hint_until(lambda: not running.exists())
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert job.pieces.filter(state=PartState.CANCELLED).exists()
    assert not job.pieces.filter(finished_at__gt=asked).exists()
    assert job.result["dropped"] == job.parts - job.parts_done
