"""What beat starts by the clock. Free of Django models, so that the settings can import it."""

from __future__ import annotations

from typing import Any, Final

from celery.schedules import crontab

#: A tick that no worker took before the next one is due is dropped: the next one does the same.
SWEEP_EVERY_SECONDS: Final = 3.0

CLAIMS_EVERY_SECONDS: Final = 300.0

BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "sweep what is stale": {
        "task": "estimates.sweep",
        "schedule": SWEEP_EVERY_SECONDS,
        "options": {"expires": SWEEP_EVERY_SECONDS},
    },
    "work on jobs": {
        "task": "estimates.work_on_jobs",
        "schedule": SWEEP_EVERY_SECONDS,
        "options": {"expires": SWEEP_EVERY_SECONDS},
    },
    "answer claims": {
        "task": "estimates.answer_claims",
        "schedule": CLAIMS_EVERY_SECONDS,
        "options": {"expires": CLAIMS_EVERY_SECONDS},
    },
    "prune jobs": {"task": "estimates.prune_jobs", "schedule": crontab(hour="2", minute="47")},
    "nightly recalculation": {
        "task": "estimates.start_recalculation",
        "schedule": crontab(hour="3", minute="17"),
        "kwargs": {"scope": "all", "reason": "nightly recalculation"},
    },
}
