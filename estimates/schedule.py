"""What beat starts by the clock. Free of Django models, so that the settings can import it."""

from __future__ import annotations

from typing import Any, Final

#: A tick that no worker took before the next one is due is dropped: the next one does the same.
SWEEP_EVERY_SECONDS: Final = 3.0

CLAIMS_EVERY_SECONDS: Final = 60.0

#: What is due by a schedule's cron expression begins at most this much later.
SCHEDULES_EVERY_SECONDS: Final = 20.0

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
    "tick schedules": {
        "task": "estimates.tick_schedules",
        "schedule": SCHEDULES_EVERY_SECONDS,
        "options": {"expires": SCHEDULES_EVERY_SECONDS},
    },
}
