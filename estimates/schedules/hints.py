"""Hints to the workers that runs of schedules wait. A lost one costs seconds: beat sends one all the time."""

from __future__ import annotations

import logging
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

TICK: Final = "estimates.tick_schedules"
EXPIRES_SECONDS: Final = 10.0


def runs_waiting() -> None:
    """Ask a worker to tick, after the commit of the transaction this is called in."""
    transaction.on_commit(_send)


def _send() -> None:
    try:
        current_app.send_task(TICK, args=(), expires=EXPIRES_SECONDS)
    except OperationalError as error:
        log.warning("hint %s not sent, beat's next one will do: %s", TICK, error)
