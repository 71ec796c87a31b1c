"""Hints to the workers that facts have changed. The database says what is stale; a lost hint costs seconds.

Each is sent after the commit of the transaction it is called in. When the broker cannot be reached the write
has succeeded all the same, and the sweeper's next tick finds what has changed.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

SWEEP = "estimates.sweep"
RECALCULATE_ACCELERATOR = "estimates.recalculate_accelerator"
RECALCULATE_MODEL = "estimates.recalculate_model"


#: A change is many chunks, which that many workers share; one that finds none left ends at once.
WORKERS: Final = 2


def accelerator_changed(pk: int) -> None:
    """A figure, rate, tier, link or offer of this accelerator has changed."""
    for _ in range(WORKERS):
        transaction.on_commit(partial(send, RECALCULATE_ACCELERATOR, pk))


def model_changed(pk: int) -> None:
    """The architecture or the stored formats of this language model have changed."""
    for _ in range(WORKERS):
        transaction.on_commit(partial(send, RECALCULATE_MODEL, pk))


def work_waiting() -> None:
    """Something is stale or requested: a change of a workload, a run."""
    for _ in range(WORKERS):
        transaction.on_commit(partial(send, SWEEP))


def send(task: str, *arguments: int, **options: Any) -> bool:
    """Send one task, with Celery's options where some are given; whether the broker took it."""
    try:
        current_app.send_task(task, args=arguments, **options)
    except OperationalError as error:
        log.warning("hint %s%r not sent, the sweeper will find it: %s", task, arguments, error)
        return False
    return True
