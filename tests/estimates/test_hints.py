"""Hints after a write: sent after commit, lost without harm with the broker down, taken by a real worker."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_shutdown
from django.db import connection, connections, transaction
from redis import Redis

from catalog import hints
from catalog.models import Accelerator
from config import embedded
from estimates import runs, sweeper, tasks
from estimates.models import Calculation, RunState
from estimates.staleness import stale_calculations
from tests.estimates.conftest import TinyCatalogue, build


@pytest.fixture
def broker_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The broker's address leads to a socket that nobody listens on."""
    monkeypatch.setenv(embedded.MANAGED, "1")  # the supervisor manages the broker: nobody starts another
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{tmp_path}/nobody.sock")
    current_app._after_fork()  # drops the pools of connections made before
    yield
    current_app._after_fork()


@pytest.mark.django_db(transaction=True)
def test_a_write_succeeds_without_a_broker_and_the_sweeper_converges(
    broker_down: None, caplog: pytest.LogCaptureFixture
) -> None:
    tiny = build()
    sweeper.sweep()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "catalog.hints"), transaction.atomic():
        Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
        hints.accelerator_changed(tiny.h100.pk)
    assert time.monotonic() - began < 10
    assert "not sent, the sweeper will find it" in caplog.text
    assert Accelerator.objects.get(pk=tiny.h100.pk).memory_bandwidth_gbs == 4020
    assert stale_calculations().count() == 3
    tasks.sweep()
    assert not stale_calculations().exists()


@pytest.mark.django_db(transaction=True)
def test_a_hint_is_sent_after_the_commit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, args: sent.append((task, tuple(args))))
    with transaction.atomic():
        hints.model_changed(7)
        assert sent == []
    assert sent == [("estimates.recalculate_model", (7,))] * hints.WORKERS


def test_tasks_have_the_names_that_hints_are_sent_to() -> None:
    names = {hints.SWEEP, hints.RECALCULATE_ACCELERATOR, hints.RECALCULATE_MODEL}
    assert names <= {tasks.sweep.name, tasks.recalculate_accelerator.name, tasks.recalculate_model.name}


def test_a_hint_makes_every_edit_and_nothing_that_can_wait(tiny: TinyCatalogue) -> None:
    """Two accelerators and a model have been edited; what another method made stale is left to the sweeps."""
    sweeper.sweep()
    Calculation.objects.update(method_version="an earlier one")
    Accelerator.objects.filter(pk__in=[tiny.h100.pk, tiny.l40s.pk]).update(memory_bandwidth_gbs=3000)
    tasks.recalculate_accelerator(tiny.h100.pk)
    assert set(stale_calculations().values_list("accelerator", flat=True)) == {tiny.mystery.pk}
    type(tiny.llama_8b).objects.filter(pk=tiny.llama_8b.pk).update(max_context=4096)
    tasks.recalculate_model(tiny.llama_8b.pk)
    left = set(stale_calculations().values_list("language_model", flat=True))
    assert left == {tiny.llama_70b.pk, tiny.embedder.pk}


def test_a_worker_with_outdated_code_makes_nothing(
    tiny: TinyCatalogue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("estimates.method._CODE", "of an earlier release")
    with caplog.at_level(logging.WARNING, "estimates.tasks"):
        tasks.sweep()
    assert "restart it" in caplog.text
    assert not Calculation.objects.exists()


def close_connections(**_: object) -> None:
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_a_worker_on_the_real_broker_makes_an_edit_within_seconds(queue_of_the_tests: str) -> None:
    tiny = build()
    embedded.ensure_valkey()
    Redis(unix_socket_path=str(embedded.valkey_socket())).delete(queue_of_the_tests)
    sweeper.sweep()
    before = Calculation.objects.get(accelerator=tiny.h100, language_model=tiny.llama_8b).accelerator_version
    worker = start_worker(
        current_app, pool="solo", perform_ping_check=False, queues=[queue_of_the_tests], shutdown_timeout=30
    )
    worker_shutdown.connect(close_connections, weak=False)  # sent in the worker's own thread
    with worker:
        with transaction.atomic():
            Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
            hints.accelerator_changed(tiny.h100.pk)
        deadline = time.monotonic() + 20
        while stale_calculations().exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    after = Calculation.objects.get(accelerator=tiny.h100, language_model=tiny.llama_8b).accelerator_version
    assert after == before + 1


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_has_claimed_is_left_to_it() -> None:
    """A second connection holds the locks of one calculation; the sweep makes the others and goes on."""
    import threading

    tiny = build()
    run = runs.start_recalculation("all", hint=False)
    held = Calculation.objects.get(accelerator=tiny.h100, language_model=tiny.llama_8b)
    locked, finish = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Calculation.objects.select_for_update().get(pk=held.pk)
            locked.set()
            finish.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert locked.wait(10)
        assert sweeper.sweep().calculations == 8
        run.refresh_from_db()
        assert (run.state, run.chunks_done) == (RunState.RUNNING, 2)
    finally:
        finish.set()
        thread.join()
    assert sweeper.sweep().calculations == 1
    run.refresh_from_db()
    assert (run.state, run.chunks_done) == (RunState.DONE, 3)
