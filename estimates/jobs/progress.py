"""How far a job is: its share, configurations a second, seconds left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Progress:
    """Seconds and rates are None until there is something to tell them from."""

    share: float
    seconds: float | None
    configurations_per_s: float | None
    seconds_left: float | None


def progress_of(
    parts: int,
    parts_done: int,
    configurations: int,
    started_at: datetime | None,
    finished_at: datetime | None,
    now: datetime | None = None,
) -> Progress:
    """Progress from a job's columns; the time left supposes that the other parts take as long as those made.

    With 25 of 100 parts made in 10 s, 75 x 10 / 25 = 30 s are left.
    """
    share = parts_done / parts if parts else 1.0
    if started_at is None:
        return Progress(share, None, None, None)
    seconds = max(0.0, ((finished_at or now or timezone.now()) - started_at).total_seconds())
    rate = configurations / seconds if seconds and configurations else None
    if finished_at is not None:
        left: float | None = 0.0
    else:
        left = seconds * (parts - parts_done) / parts_done if parts_done else None
    return Progress(round(share, 4), round(seconds, 3), rate and round(rate), left and round(left, 1))
