"""An idle worker sweeps by itself: an edit whose hint was lost is made although no beat runs."""

import time

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_shutdown
from redis import Redis

from catalog.models import Accelerator
from config import embedded
from estimates import sweeper
from estimates.convergence import idle
from estimates.staleness import stale_calculations
from tests.estimates.conftest import build
from tests.estimates.test_hints import close_connections


@pytest.mark.django_db(transaction=True)
def test_an_idle_worker_finds_what_no_hint_told_it(
    queue_of_the_tests: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "IDLE_SWEEP_SECONDS", 0.5)
    tiny = build()
    embedded.ensure_valkey()
    Redis(unix_socket_path=str(embedded.valkey_socket())).delete(queue_of_the_tests)
    sweeper.sweep()
    worker = start_worker(
        current_app, pool="solo", perform_ping_check=False, queues=[queue_of_the_tests], shutdown_timeout=30
    )
    worker_shutdown.connect(close_connections, weak=False)  # sent in the worker's own thread
    with worker:
        Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
        deadline = time.monotonic() + 20
        while stale_calculations().exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not stale_calculations().exists()
