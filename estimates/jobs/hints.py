"""Hints to the workers that a job has parts to make. Lost ones cost seconds: beat sends one all the time."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

WORK: Final = "estimates.work_on_jobs"
#: A hint that no worker is free to take is dropped, so that jobs never fill the queue before other work.
EXPIRES_SECONDS: Final = 2.0


def parts_waiting(workers: int = 1) -> None:
    """Ask so many workers to make parts, after the commit of the transaction this is called in."""
    for _ in range(workers):
        transaction.on_commit(partial(_send))


def _send() -> bool:
    """Send one hint; whether the broker took it."""
    try:
        current_app.send_task(WORK, args=(), expires=EXPIRES_SECONDS)
    except OperationalError as error:
        log.warning("hint %s not sent, beat's next one will do: %s", WORK, error)
        return False
    return True
