"""`manage.py benchmark load`: minutes of mixed reads and edits against a service of its own.

A private Postgres and Valkey with the whole catalogue, every model calculated first, web workers, a worker
group and beat as `make run` starts them. Readers go round a closed loop at a bounded rate, so that the
editor and the workers get their share of the machine. Errors, memory and staleness have bounds; a broken
one makes the exit code 1.
"""

from __future__ import annotations

import platform
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, Final

from django.core.management.base import CommandError

PROGRESS_EVERY_SECONDS: Final = 30.0
#: An edit just before the end may take this long to reach the estimates.
PATIENCE_SECONDS: Final = 60.0
MODELS_ASKED: Final = 6
TARGETS: Final = 10


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--minutes", type=positive, default=20.0, help="how long (20)")
    parser.add_argument("--rate", type=positive, default=6.0, help="requests a second of all readers (6)")
    parser.add_argument("--clients", type=int, choices=range(1, 65), default=4, metavar="N", help="(4)")
    parser.add_argument("--directory", help="keep the service's data here and use them again")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked (1)")


def positive(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 100_000:
        raise ArgumentTypeError(f"{text!r} is not accepted; accepted: a number above 0")
    return value


def say(line: str) -> None:
    """One line of progress, apart from the result."""
    print(f"load: {line}", file=sys.stderr, flush=True)


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Set the service up, load it, end it."""
    from estimates.benchmarks.load.installation import Code, Installation, TrialError

    try:
        with Installation.at(options["directory"], "atlas-load-") as service:
            return _loaded(service, Code(_root()), options)
    except TrialError as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        raise CommandError("broken off; everything that was started has ended", returncode=130) from None


def _root() -> Any:
    from config.embedded import BASE_DIR

    return BASE_DIR


def _loaded(service: Any, code: Any, options: dict[str, Any]) -> dict[str, Any]:
    from estimates.benchmarks.load import report
    from estimates.benchmarks.load.client import HttpClient
    from estimates.benchmarks.load.installation import HOST, TrialError
    from estimates.benchmarks.load.memory import MemoryWatch
    from estimates.benchmarks.load.mix import SHARES
    from estimates.benchmarks.load.readers import Readers, Tally
    from estimates.benchmarks.load.staleness import StalenessWatch
    from estimates.benchmarks.load.subjects import subjects_of
    from estimates.benchmarks.load.writer import Writer, find_targets

    minutes: float = options["minutes"]
    token = set_up(service, code)
    web = service.start_web(code)
    worker, beat = service.start_worker(code), service.start_beat(code)
    service.wait_until_ready(web)
    client = HttpClient(HOST, service.port, token=token)
    try:
        subjects = subjects_of(client, MODELS_ASKED)
        targets = find_targets(client, subjects.models, TARGETS)
    except ValueError as error:
        raise TrialError(str(error)) from None
    if len(targets) < TARGETS:
        raise TrialError(f"only {len(targets)} accelerators have a price to undercut, {TARGETS} are needed")
    tally, watch = Tally(), StalenessWatch(service.connection())
    memory = MemoryWatch(
        {"web": web.pid, "worker": worker.pid, "beat": beat.pid, "postgres": service.postgres_pid()}
    )
    readers = Readers(
        HOST,
        service.port,
        subjects,
        SHARES,
        clients=options["clients"],
        rate=options["rate"],
        keep=True,
        tally=tally,
        seed=options["seed"],
    )
    writer = Writer(client, targets, tally, watch)
    parts = (watch, memory, readers, writer)
    say(
        f"{minutes:g} minutes of {options['rate']:g} requests/s by {options['clients']} readers, "
        "one edit a second"
    )
    began = time.monotonic()
    for part in parts:
        part.start()
    try:
        follow(began, began + minutes * 60, tally, watch, memory, writer, service)
    finally:
        readers.stop()
        writer.stop()
    ended = time.monotonic()
    memory.stop()
    watch.stop(PATIENCE_SECONDS)
    found: dict[str, Any] = {
        "minutes": round((ended - began) / 60, 2),
        "asked": {
            "rate_per_s": options["rate"],
            "clients": options["clients"],
            "shares_in_1000": SHARES,
            "models": list(subjects.models),
            "edited": [target.accelerator for target in targets],
        },
        "answers": report.requests(tally, ended - began),
        "edits": {
            "price_quotes": writer.edits.prices,
            "figures": writer.edits.figures,
            "prices_not_shown_at_once": writer.edits.prices_not_shown,
        },
        "staleness": report.staleness(watch),
        "staleness_fault": watch.fault,
        "memory": memory.quarters(began, ended),
        "died": service.dead(),
        "machine": machine(),
    }
    found["broken"] = report.broken(found, minutes)
    return found


def set_up(service: Any, code: Any) -> str:
    """Servers, catalogue and every estimate; the token of the editor."""
    began = time.monotonic()
    token: str = service.prepare(code)
    say(f"catalogue loaded ({time.monotonic() - began:.0f} s)")
    began = time.monotonic()
    service.manage(code, "recalculate", "--if-empty")
    service.manage(
        code, "recalculate", "--stale"
    )  # what a directory used again has of older facts or methods
    say(f"all models calculated on all accelerators ({time.monotonic() - began:.0f} s)")
    switch_schedules_off(service.connection())
    return token


def switch_schedules_off(parameters: dict[str, Any]) -> None:
    """No schedule falls into the minutes that are measured: kept data catch up a slot they slept through."""
    import psycopg

    with psycopg.connect(**parameters) as connection:
        connection.execute("UPDATE estimates_schedule SET enabled = false WHERE enabled")


def follow(
    began: float, until: float, tally: Any, watch: Any, memory: Any, writer: Any, service: Any
) -> None:
    """Wait until then, with a line of progress now and then; what died ends the wait."""
    due, seen = began + PROGRESS_EVERY_SECONDS, 0
    while (now := time.monotonic()) < until:
        time.sleep(min(1.0, until - now))
        if service.dead():
            return
        if time.monotonic() >= due:
            count = len(tally.samples)
            held = ", ".join(f"{role} {mb:,.0f}" for role, mb in memory.latest().items())
            longest = max(watch.seconds, default=0.0)
            say(
                f"{time.monotonic() - began:,.0f} s: "
                f"{(count - seen) / PROGRESS_EVERY_SECONDS:.1f} requests/s, {tally.failures} failed; "
                f"{writer.edits.prices} prices, {writer.edits.figures} figures, "
                f"longest stale {longest:.1f} s, {len(watch.open)} open; MB: {held}"
            )
            seen, due = count, due + PROGRESS_EVERY_SECONDS


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import os

    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def lines(found: dict[str, Any]) -> list[str]:
    """The run for people."""
    from estimates.benchmarks.load.report import table

    answered, stale = found["answers"], found["staleness"]
    shown = [
        f"{found['minutes']:g} minutes: {answered['requests']:,} requests, "
        f"{answered['requests_per_s']} a second, {answered['failures']} failed "
        f"({answered['server_errors']} with status 500 or above, {answered['connection_errors']} without an "
        f"answer); {answered['resent']} sent again on a new connection",
        *table(answered),
        f"edits: {found['edits']['price_quotes']} prices, "
        f"{found['edits']['prices_not_shown_at_once']} of them not in the next ranked list; "
        f"{found['edits']['figures']} figures",
        f"staleness of {stale['edits']} edits: p50 {stale.get('p50_s')} s, p95 {stale.get('p95_s')} s, "
        f"p99 {stale.get('p99_s')} s, at most {stale.get('max_s')} s; "
        f"{stale['never_converged']} never converged",
    ]
    shown += [
        f"memory of {role}: {row['first_quarter_mb']:,.0f} MB in the first quarter after warm-up, "
        f"{row['last_quarter_mb']:,.0f} MB in the last ({row['growth']:+.1%}), "
        f"at most {row['most_mb']:,.0f} MB"
        for role, row in found["memory"].items()
    ]
    return shown + ([f"BROKEN: {one}" for one in found["broken"]] or ["every bound holds"])
