"""The tally of what each worker process has done: raised in the transaction of a chunk, read as metrics."""

from __future__ import annotations

import socket
from bisect import bisect_left
from typing import Any, Final

from billiard.process import current_process
from celery import current_task
from django.db import connection

from estimates.convergence.models import DURATION_BOUNDS_SECONDS

_RAISE: Final = """
    INSERT INTO estimates_worktally AS t (worker, chunks, calculations, unchanged, failed, configurations,
        rows_written, retries, seconds, durations, last_at)
    VALUES (%(worker)s, %(chunks)s, %(calculations)s, %(unchanged)s, %(failed)s, %(configurations)s,
        %(rows)s, %(retries)s, %(seconds)s, %(durations)s::bigint[], clock_timestamp())
    ON CONFLICT (worker) DO UPDATE SET
        chunks = t.chunks + EXCLUDED.chunks,
        calculations = t.calculations + EXCLUDED.calculations,
        unchanged = t.unchanged + EXCLUDED.unchanged,
        failed = t.failed + EXCLUDED.failed,
        configurations = t.configurations + EXCLUDED.configurations,
        rows_written = t.rows_written + EXCLUDED.rows_written,
        retries = t.retries + EXCLUDED.retries,
        seconds = t.seconds + EXCLUDED.seconds,
        durations = (SELECT array_agg(a + b ORDER BY position)
            FROM unnest(t.durations, EXCLUDED.durations) WITH ORDINALITY AS pair (a, b, position)),
        last_at = EXCLUDED.last_at
"""


def worker_name() -> str:
    """The Celery node and the number of its process, or the host where no worker does the work.

    Not the process id: a name lives on when its process is replaced, so that there are as many as workers.
    """
    node = getattr(getattr(current_task, "request", None), "hostname", None) if current_task else None
    if not node:
        return f"command@{socket.gethostname()}"[:100]
    return f"{node}/{getattr(current_process(), 'index', 0)}"[:100]


def count_chunk(
    seconds: float, *, calculations: int, unchanged: int, failed: int, configurations: int, rows: int
) -> None:
    """One chunk was made; the last statement of its transaction, for the row is this worker's own."""
    durations = [0] * (len(DURATION_BOUNDS_SECONDS) + 1)
    durations[bisect_left(DURATION_BOUNDS_SECONDS, seconds)] = 1
    _raise(
        chunks=1,
        calculations=calculations,
        unchanged=unchanged,
        failed=failed,
        configurations=configurations,
        rows=rows,
        seconds=seconds,
        durations=durations,
    )


def count_retry() -> None:
    """A task was begun again after a database error."""
    _raise(retries=1)


def _raise(**raised: Any) -> None:
    nothing = dict.fromkeys(
        ("chunks", "calculations", "unchanged", "failed", "configurations", "rows", "retries", "seconds"), 0
    )
    nothing["durations"] = [0] * (len(DURATION_BOUNDS_SECONDS) + 1)  # type: ignore[assignment]
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, nothing | raised | {"worker": worker_name()})
