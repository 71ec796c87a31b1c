"""Claims of workers on calculations: taken under `FOR UPDATE SKIP LOCKED`, held by a lease, given back, lost.

A claim is a row's `claimed_until` and `claimed_by`, committed before the work begins: no lock is held while
the core calculates, and an editor never waits for a worker. A worker that dies is known by the lease that it
no longer renews. What it held counts a loss, is taken again in smaller pieces, and is parked after
`MAX_LOSSES`: whatever ends its workers ends up alone and then stops ending them. A claim is no guard of
results: the store's guard by version is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from estimates.method import method_version
from estimates.models import Calculation, CalculationState
from estimates.staleness import ACCELERATOR_CHANGED, MAX_ATTEMPTS, MODEL_CHANGED, is_stale
from estimates.worker import this_process

#: Workers that may be lost at one calculation before it is parked.
MAX_LOSSES: Final = 5

#: Not in a worker's hands, and not in the pause after a failure, which a change of the facts ends.
FREE: Final = (
    Q(claimed_until=None)
    | Q(claimed_until__lt=Now())
    | Q(claimed_by="") & (MODEL_CHANGED | ACCELERATOR_CHANGED)
)


def lease_time() -> timedelta:
    """How long a worker may be silent before another takes what it holds."""
    return timedelta(seconds=settings.ATLAS_CLAIM_LEASE_SECONDS)


class Lease:
    """The calculations in this worker's hands, and until when."""

    def __init__(self, worker: str, calculations: Sequence[Calculation]) -> None:
        self.worker = worker
        self.calculations = calculations
        self._renewed = time.monotonic()

    @property
    def keys(self) -> list[int]:
        return [cell.pk for cell in self.calculations]

    def renew(self) -> None:
        """Hold on for another lease, once a third of it is over."""
        if time.monotonic() - self._renewed > lease_time().total_seconds() / 3:
            self._mine().update(claimed_until=Now() + lease_time())
            self._renewed = time.monotonic()

    def release(self) -> None:
        """Give back what is still held: nothing was lost."""
        self._mine().update(claimed_until=None, claimed_by="")

    def _mine(self) -> QuerySet[Calculation]:
        return Calculation.objects.filter(pk__in=self.keys, claimed_by=self.worker)


def take(keys: Collection[int], workloads_digest: str) -> Lease | None:
    """Take what of these is still wanted and free, committed at once; None: nothing was.

    What has lost too many workers is parked instead.
    """
    worker = f"{this_process()}:{threading.get_ident()}:{time.monotonic_ns()}"[-100:]
    with transaction.atomic():
        free = list(
            Calculation.objects.filter(pk__in=keys)
            .filter(FREE, is_stale(workloads_digest) | Q(run__isnull=False))
            .order_by("pk")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
        )
        lost = [cell.pk for cell in free if cell.claimed_by]
        Calculation.objects.filter(pk__in=lost).update(losses=F("losses") + 1)
        parked = {cell.pk for cell in free if cell.claimed_by and cell.losses + 1 >= MAX_LOSSES}
        if parked:
            _park(parked, workloads_digest)
        taken = [cell for cell in free if cell.pk not in parked]
        Calculation.objects.filter(pk__in=[cell.pk for cell in taken]).update(
            claimed_until=Now() + lease_time(), claimed_by=worker
        )
    return Lease(worker, taken) if taken else None


_PARK: Final = """
    UPDATE estimates_calculation c SET
        state = %(failed)s, attempts = %(attempts)s, claimed_until = NULL, claimed_by = '', run_id = NULL,
        error = format('WorkerLost: %%s workers ended or were silent for their lease while they made this '
                       'calculation, the last one alone', c.losses),
        traceback = format('The last worker was %%s.', c.claimed_by),
        model_version = m.version, accelerator_version = a.version, input_digest = '',
        workloads_digest = %(digest)s, method_version = %(method)s, calculated_at = clock_timestamp()
    FROM catalog_languagemodel m, catalog_accelerator a
    WHERE c.id = ANY(%(keys)s::bigint[]) AND m.id = c.language_model_id AND a.id = c.accelerator_id
"""


def _park(keys: Collection[int], workloads_digest: str) -> None:
    """Under the versions of now, so that a change of the facts gives it another chance."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PARK,
            {
                "keys": list(keys),
                "failed": CalculationState.FAILED.value,
                "attempts": MAX_ATTEMPTS,
                "digest": workloads_digest,
                "method": method_version(),
            },
        )
