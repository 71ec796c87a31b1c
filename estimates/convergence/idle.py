"""Workers sweep when they are idle: what is stale is made although beat is down and every hint was lost."""

from __future__ import annotations

from typing import Any, Final

from celery import bootsteps
from celery.worker import state

from catalog.hints import SWEEP, send
from estimates.schedule import SWEEP_EVERY_SECONDS

#: Rarer than beat's ticks: where beat lives, its sweeps have found everything already.
IDLE_SWEEP_SECONDS: Final = 2 * SWEEP_EVERY_SECONDS


class IdleSweep(bootsteps.StartStopStep):
    """A step of the worker's consumer: a timer that sends the worker's own queue a sweep while it is idle."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.timer: Any = None

    def start(self, consumer: Any) -> None:
        self.timer = consumer.timer.call_repeatedly(IDLE_SWEEP_SECONDS, sweep_if_idle, ())

    def stop(self, consumer: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    shutdown = stop


def sweep_if_idle() -> bool:
    """Send a sweep unless a task is being worked on or waits here; whether one was sent."""
    if state.reserved_requests or state.active_requests:
        return False
    return send(SWEEP, expires=IDLE_SWEEP_SECONDS)
