"""`manage.py benchmark upgrade`: an earlier version is replaced by this one while it is being used.

The earlier version runs with servers of its own, its catalogue and its estimates; readers ask what both
versions answer, each request on a connection of its own, and an editor changes figures. Meanwhile the
database is migrated, the catalogue loaded, workers and beat replaced, and web servers replaced one group
after the other on one listening socket. Not one request may fail.
"""

from __future__ import annotations

import socket
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.management.base import CommandError

from estimates.benchmarks.load.sustained import machine, positive

#: A migration that waits longer for a lock gives way to the queries behind it and is begun again.
LOCK_TIMEOUT: Final = "5s"
ATTEMPTS: Final = 20
WEB_GROUPS: Final = 2
QUIET_SECONDS: Final = 20.0
MODELS_ASKED: Final = 4
TARGETS: Final = 5


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--from", dest="tag", default="v0.1.0", help="tag of the earlier version (v0.1.0)")
    parser.add_argument("--rate", type=positive, default=10.0, help="requests a second (10)")
    parser.add_argument("--clients", type=int, choices=range(1, 65), default=4, metavar="N", help="(4)")
    parser.add_argument("--edit-every", type=positive, default=10.0, help="seconds between edits (10)")
    parser.add_argument("--quiet", type=positive, default=QUIET_SECONDS, help="seconds between steps (20)")
    parser.add_argument(
        "--models", type=int, default=0, help="models calculated before the trial; 0 for all (0)"
    )
    parser.add_argument(
        "--settle-minutes",
        type=positive,
        default=30.0,
        help="by when the new version has made every estimate anew (30)",
    )
    parser.add_argument("--no-settle", action="store_true", help="do not wait for that")
    parser.add_argument("--directory", help="keep the trial's data here and use them again")


def say(line: str) -> None:
    print(f"upgrade: {line}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class Steps:
    """What was done when, to lay latencies beside it."""

    done: list[tuple[str, float, float]] = field(default_factory=list)

    def add(self, name: str, began: float) -> None:
        ended = time.monotonic()
        self.done.append((name, began, ended))
        say(f"{name}: {ended - began:.1f} s")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Set the earlier version up, use it, replace it. Exit code 2 where it cannot be had."""
    from estimates.benchmarks.load.earlier import MissingVersion, earlier_code
    from estimates.benchmarks.load.installation import Installation, TrialError

    try:
        with Installation.at(options["directory"], "atlas-upgrade-") as service:
            old, python = earlier_code(options["tag"], service.directory)
            say(f"{options['tag']} runs by the Python: {python}")
            return _upgraded(service, old, options) | {"python_of_the_earlier_version": python}
    except MissingVersion as error:
        raise CommandError(str(error), returncode=2) from None
    except TrialError as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        raise CommandError("broken off; everything that was started has ended", returncode=130) from None


def _upgraded(service: Any, old: Any, options: dict[str, Any]) -> dict[str, Any]:
    from estimates.benchmarks.load import report
    from estimates.benchmarks.load.client import HttpClient
    from estimates.benchmarks.load.earlier import this_code
    from estimates.benchmarks.load.installation import HOST, TrialError
    from estimates.benchmarks.load.mix import SHARES_SINCE_0_1_0
    from estimates.benchmarks.load.readers import Readers, Tally
    from estimates.benchmarks.load.staleness import StalenessWatch
    from estimates.benchmarks.load.subjects import MODELS, subjects_of
    from estimates.benchmarks.load.writer import Writer, find_targets

    new = this_code()
    began = time.monotonic()
    token = service.prepare(old)
    say(f"catalogue of {old.name} loaded ({time.monotonic() - began:.0f} s)")
    began = time.monotonic()
    if options["models"]:
        for slug in MODELS[: options["models"]]:
            service.manage(old, "recalculate", "--model", slug, check=False)
    else:
        service.manage(old, "recalculate", "--if-empty")
    say(f"estimates calculated by {old.name} ({time.monotonic() - began:.0f} s)")
    groups = [service.start_web(old, name=f"web {n}", workers=1) for n in range(1, WEB_GROUPS + 1)]
    worker, beat = service.start_worker(old), service.start_beat(old)
    service.wait_until_ready(groups[0])
    client = HttpClient(HOST, service.port, keep=False, token=token)
    try:
        subjects = subjects_of(client, min(MODELS_ASKED, options["models"] or MODELS_ASKED))
        targets = find_targets(client, subjects.models, TARGETS)
    except ValueError as error:
        raise TrialError(str(error)) from None
    tally, watch = Tally(), StalenessWatch(service.connection())
    readers = Readers(
        HOST,
        service.port,
        subjects,
        SHARES_SINCE_0_1_0,
        clients=options["clients"],
        rate=options["rate"],
        keep=False,
        tally=tally,
    )
    writer = Writer(client, targets, tally, watch, prices=False, every_seconds=options["edit_every"])
    steps, died = Steps(), []
    quiet: float = options["quiet"]
    readers.start()
    writer.start()
    started = time.monotonic()
    try:
        _quiet(steps, f"{old.name} alone", quiet)
        retries = migrate(service, new, steps)
        _quiet(steps, f"{old.name} on the new schema", quiet)
        began = time.monotonic()
        service.manage(new, "prepare")
        steps.add("load the catalogue", began)
        began = time.monotonic()
        service.stop_one(worker)
        service.stop_one(beat)
        service.start_worker(new)
        service.start_beat(new)
        steps.add("replace workers and beat", began)
        _quiet(steps, "new workers behind old web servers", quiet)
        for number, group in enumerate(list(groups), 1):
            replace_web(service, new, group, number, steps)
            _quiet(steps, f"{number} of {WEB_GROUPS} web groups are new", quiet)
        died = service.dead()
        settled = None if options["no_settle"] else settle(service, steps, options["settle_minutes"])
    finally:
        writer.stop()
        readers.stop()
    left = stale_by_method(service)
    found: dict[str, Any] = {
        "from": old.name,
        "answers": report.requests(tally, time.monotonic() - started),
        "steps": in_windows(tally, steps),
        "lock_timeouts": retries,
        "edits_of_figures": writer.edits.figures,
        "rows_shown_by_method": dict(subjects.methods),
        "calculations": left,
        "settled_s": settled,
        "died": died + service.dead(),
        "machine": machine(),
    }
    found["longest_in_migrate_ms"] = max(
        (step["max_ms"] for step in found["steps"] if step["step"] == "migrate" and "max_ms" in step),
        default=None,
    )
    found["broken"] = broken(found, waited=not options["no_settle"])
    return found


def _quiet(steps: Steps, name: str, seconds: float) -> None:
    """Go on as it is for a while."""
    began = time.monotonic()
    time.sleep(seconds)
    steps.add(name, began)


def migrate(service: Any, new: Any, steps: Steps) -> int:
    """Migrate by the new code, giving way where a lock is not to be had; how often that was.

    Raises TrialError where another thing fails, or the lock is never to be had.
    """
    from estimates.benchmarks.load.installation import TrialError

    began = time.monotonic()
    for attempt in range(ATTEMPTS):
        # Statements that wait for nobody may take long (CREATE INDEX CONCURRENTLY): only the wait is bounded.
        done = service.manage(
            new, "migrate", "--noinput", check=False, PGOPTIONS=f"-c lock_timeout={LOCK_TIMEOUT}"
        )
        if done.returncode == 0:
            steps.add("migrate", began)
            return attempt
        if "lock timeout" not in done.stderr:
            raise TrialError(f"migrate failed: {' / '.join(done.stderr.strip().splitlines()[-3:])}")
        time.sleep(1.0)
    raise TrialError(f"migrate did not get its locks in {ATTEMPTS} attempts")


def replace_web(service: Any, new: Any, group: Any, number: int, steps: Steps) -> None:
    """Start a group of the new version on the socket of the old, see it ready, then let the old one go."""
    from estimates.benchmarks.load.installation import HOST

    began = time.monotonic()
    with socket.socket() as own:  # gunicorn takes either addresses or descriptors, so this one is open too
        own.bind((HOST, 0))
        own.listen(16)
        fresh = service.start_web(new, name=f"new web {number}", workers=1, also=own)
        service.wait_until_ready(fresh, port=int(own.getsockname()[1]))
    steps.add(f"start new web group {number}", began)
    began = time.monotonic()
    service.stop_one(group)
    steps.add(f"stop old web group {number}", began)


def stale_by_method(service: Any) -> dict[str, Any]:
    """Calculations by the method that made them, and how many are older than the facts or the method."""
    import psycopg

    from estimates.method import method_version

    with psycopg.connect(**service.connection(), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT c.method_version, c.state, count(*), count(*) FILTER (WHERE c.method_version <> %s "
            "OR c.model_version <> m.version OR c.accelerator_version <> a.version) "
            "FROM estimates_calculation c JOIN catalog_languagemodel m ON m.id = c.language_model_id "
            "JOIN catalog_accelerator a ON a.id = c.accelerator_id GROUP BY 1, 2 ORDER BY 1, 2",
            [method_version()],
        ).fetchall()
    return {
        "stale": sum(stale for _, _, _, stale in rows),
        "new_method": method_version(),
        "by_method": [{"method": m or None, "state": s, "calculations": n} for m, s, n, _ in rows],
    }


def settle(service: Any, steps: Steps, minutes: float) -> float | None:
    """Seconds until hardly an edit's worth is stale and nothing is of the old method; None if never.

    Edits go on, so that a few calculations of the last seconds may be on their way at any moment.
    """
    began = time.monotonic()
    told = began
    while time.monotonic() - began < minutes * 60:
        found = stale_by_method(service)
        others = [
            row for row in found["by_method"] if row["method"] != found["new_method"] and row["calculations"]
        ]
        if not others:
            steps.add("every estimate made by the new method", began)
            return round(time.monotonic() - began, 1)
        if service.dead():
            return None
        if time.monotonic() - told > 30:
            say(f"{time.monotonic() - began:.0f} s: {found['stale']:,} calculations to make anew")
            told = time.monotonic()
        time.sleep(2.0)
    return None


def in_windows(tally: Any, steps: Steps) -> list[dict[str, Any]]:
    """By step: how long it took, requests begun meanwhile, those that failed, the slowest."""
    found = []
    for name, began, ended in steps.done:
        inside = [
            sample
            for sample in tally.samples
            if sample[1] < ended and sample[1] + sample[2] > began  # under way at some time of the step
        ]
        row: dict[str, Any] = {"step": name, "seconds": round(ended - began, 2), "requests": len(inside)}
        row["failed"] = sum(status == 0 or status >= 400 for _, _, _, status in inside)
        if inside:
            kind, _, seconds, _ = max(inside, key=lambda sample: sample[2])
            row |= {"max_ms": round(seconds * 1000, 1), "slowest": kind}
        found.append(row)
    return found


def broken(found: dict[str, Any], *, waited: bool) -> list[str]:
    """Every bound that does not hold, in words."""
    wrong = list(found["died"])
    answered = found["answers"]
    if answered["failures"]:
        first = answered["faults"][0] if answered["faults"] else ""
        wrong.append(f"{answered['failures']} requests failed, the first: {first}")
    if waited and found["settled_s"] is None:
        wrong.append(f"{found['calculations']['stale']:,} calculations are still those of the old method")
    return wrong


def lines(found: dict[str, Any]) -> list[str]:
    """The trial for people."""
    from estimates.benchmarks.load.report import table

    answered = found["answers"]
    shown = [
        f"from {found['from']} by {found['python_of_the_earlier_version']}: "
        f"{answered['requests']:,} requests, "
        f"{answered['failures']} failed, the slowest {answered.get('max_ms', 0):,.0f} ms; "
        f"{found['edits_of_figures']} figures edited; {found['lock_timeouts']} waits for a lock given up",
        f"{'step':<42}{'seconds':>9}{'requests':>10}{'failed':>8}{'max ms':>10}  slowest",
    ]
    for step in found["steps"]:
        slowest = step.get("slowest", "")
        shown.append(
            f"{step['step']:<42}{step['seconds']:>9.1f}{step['requests']:>10,}{step['failed']:>8}"
            f"{step.get('max_ms', 0):>10,.0f}  {slowest}"
        )
    shown += table(answered)
    shown.append(f"rows of ranked lists by the method that made them: {found['rows_shown_by_method']}")
    shown.append(f"calculations in the end: {found['calculations']}")
    return shown + ([f"BROKEN: {one}" for one in found["broken"]] or ["no request failed"])
