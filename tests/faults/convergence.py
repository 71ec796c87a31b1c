"""Time to converge: from the write of a version of a fact until every estimate rests on it or a later one.

A watcher looks every 0.15 s at the versions that calculations were made from. The writes and their times (the
database's clock) are in the history. A time is therefore known to the interval of the looks, from above.
"""

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, connection

from catalog.models import Accelerator, LanguageModel, Workload
from estimates.from_catalog import read_workloads
from tests.faults.history import events_of

EVERY_SECONDS: Final = 0.15

_LOOK: Final = """
    SELECT clock_timestamp(),
        (SELECT jsonb_object_agg(pk, version) FROM (
            SELECT accelerator_id AS pk, min(accelerator_version) AS version
            FROM estimates_calculation GROUP BY 1) a),
        (SELECT jsonb_object_agg(pk, version) FROM (
            SELECT language_model_id AS pk, min(model_version) AS version
            FROM estimates_calculation GROUP BY 1) m),
        (SELECT jsonb_object_agg(id, version) FROM catalog_workload),
        (SELECT array_agg(DISTINCT workloads_digest) FROM estimates_calculation)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw: least versions by row, versions of workloads, digests used and the one in force."""

    at: datetime
    accelerators: dict[int, int]
    models: dict[int, int]
    workloads: dict[int, int]
    digests: frozenset[str]
    digest: str


class Watcher:
    """Looks at the calculations from its start to its end, on a connection of its own."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def _work(self) -> None:
        named = ended = False
        while not ended:
            ended = self._stop.wait(EVERY_SECONDS)  # one last look after the end
            try:
                with connection.cursor() as cursor:
                    if not named:
                        cursor.execute("SET application_name = 'watcher'")  # no victim
                        named = True
                    cursor.execute(_LOOK)
                    at, accelerators, models, workloads, digests = cursor.fetchone()
                digest = read_workloads().digest  # after the versions: it is of those or of later ones
            except DatabaseError:  # Postgres recovers; the next look is a new connection
                connection.close()
                named = False
                continue
            self.looks.append(
                Look(
                    at,
                    _by_pk(accelerators),
                    _by_pk(models),
                    _by_pk(workloads),
                    frozenset(digests or ()),
                    digest,
                )
            )
        connection.close()


def _by_pk(found: dict[str, int] | str | None) -> dict[int, int]:
    rows = json.loads(found) if isinstance(found, str) else (found or {})
    return {int(pk): version for pk, version in rows.items()}


def times_to_converge(looks: list[Look]) -> tuple[list[float], int]:
    """Seconds of every version written while the watcher looked, and how many have not converged.

    A version of an accelerator or model is reached when each of its calculations was made from it or a later
    one; of a workload, when each calculation was made from a state of the workloads seen since.
    """
    times: list[float] = []
    missing = 0
    if not looks:
        return times, missing
    first = looks[0].at
    for model, name in ((Accelerator, "accelerators"), (LanguageModel, "models")):
        for pk, version, at in _versions(model, first):
            reached = next(
                (look.at for look in looks if look.at >= at and getattr(look, name).get(pk, 0) >= version),
                None,
            )
            missing += reached is None
            if reached is not None:
                times.append((reached - at).total_seconds())
    last_in_force: dict[str, int] = {}
    for index, look in enumerate(looks):
        last_in_force[look.digest] = index
    for pk, version, at in _versions(Workload, first):
        seen = next((i for i, look in enumerate(looks) if look.workloads.get(pk, 0) >= version), None)
        reached = (
            None
            if seen is None
            else next(
                (
                    look.at
                    for look in looks[seen:]
                    if look.digests and all(last_in_force.get(digest, -1) >= seen for digest in look.digests)
                ),
                None,
            )
        )
        missing += reached is None
        if reached is not None:
            times.append((reached - at).total_seconds())
    return times, missing


def _versions(model: type[Any], since: datetime) -> list[tuple[int, int, datetime]]:
    """Row, version and time of every version that the history holds since then, each version once."""
    found: dict[tuple[int, int], datetime] = {}
    for pk, events in events_of(model).items():
        for event in events:
            if event.pgh_label != "delete" and event.changed_at > since:
                found.setdefault((pk, event.version), event.changed_at)
    return [(pk, version, at) for (pk, version), at in found.items()]
