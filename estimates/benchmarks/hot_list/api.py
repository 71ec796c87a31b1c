"""`manage.py benchmark api`: the ranked list beside a bare view of the same answer, and beside its own 304s.

Both are served by the same processes, two workers as `make run` starts them, and asked in turn over sockets;
the answers are compared first. Nothing is written.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import threading
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from math import isclose
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.core.management.base import CommandError

from estimates.benchmarks.words import count

if TYPE_CHECKING:
    from config.processes import Child

READY_SECONDS: Final = 60
WARM_UP_SECONDS: Final = 1.0


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rounds", type=count, default=7, help="rounds, each of all kinds in turn (7)")
    parser.add_argument("--seconds", type=count, default=2, help="seconds of each kind in a round (2)")
    parser.add_argument("--lists", type=count, default=8, help="models and workloads asked for in turn (8)")
    parser.add_argument("--connections", type=count, default=4, help="connections at a time (4)")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """list_ratio, not_modified_ratio and what they are made of."""
    from estimates.benchmarks.hot_list.client import AnswerError, Asked, Connection, requests_per_second

    queries = hot_queries(options["lists"])
    try:
        with served() as port:
            connection = Connection(port)
            etags = [check_equal(connection, query) for query in queries]
            connection.close()
            kinds = {
                "list": [Asked(f"/api/v1/estimates?{query}") for query in queries],
                "bare": [Asked(f"/bare/estimates?{query}") for query in queries],
                "not_modified": [
                    Asked(f"/api/v1/estimates?{query}", etag, 304)
                    for query, etag in zip(queries, etags, strict=True)
                ],
                "unkept": [Asked(f"/unkept/estimates?{query}") for query in queries],
            }
            measured: dict[str, list[float]] = {name: [] for name in kinds}
            for asked in kinds.values():
                requests_per_second(port, asked, WARM_UP_SECONDS, options["connections"])
            for number in range(options["rounds"]):
                names = list(kinds)[number % 4 :] + list(kinds)[: number % 4]
                for name in names:
                    measured[name].append(
                        requests_per_second(port, kinds[name], options["seconds"], options["connections"])
                    )
            ceiling = requests_per_second(
                port, [Asked("/bare/nothing")], options["seconds"], options["connections"]
            )
    except (OSError, AnswerError) as error:
        raise CommandError(f"the benchmark broke off: {error}") from None
    return {
        **ratio("list_ratio", measured["list"], measured["bare"]),
        **ratio("not_modified_ratio", measured["not_modified"], measured["list"]),
        **ratio("unkept_list_ratio", measured["unkept"], measured["bare"]),
        **{f"{name}_rps": round(statistics.median(values), 1) for name, values in measured.items()},
        "nothing_rps": round(ceiling, 1),
        "lists": len(queries),
        "rounds": options["rounds"],
        "seconds": options["seconds"],
        "connections": options["connections"],
        "load": [round(value, 2) for value in os.getloadavg()],
        "cores": os.cpu_count(),
    }


def ratio(name: str, of: list[float], to: list[float]) -> dict[str, Any]:
    """The median of the rounds' ratios, and the lowest and highest of them."""
    ratios = [one / other for one, other in zip(of, to, strict=True)]
    spread = [round(min(ratios), 3), round(max(ratios), 3)]
    return {name: round(statistics.median(ratios), 3), f"{name}_spread": spread}


def hot_queries(most: int) -> list[str]:
    """Query strings of ranked lists that have a full page: models far apart, workloads in turn."""
    from django.db import ProgrammingError
    from django.db.models import Count

    from estimates.api.estimates import FITTING
    from estimates.models import Estimate

    full: list[tuple[str, str]] = []
    with suppress(ProgrammingError):  # a database without tables has no estimates either
        full = list(
            Estimate.objects.filter(offer__retired=False, state__in=FITTING)
            .values("language_model__slug", "workload__slug")
            .annotate(offers=Count("offer", distinct=True))
            .filter(offers__gt=50)
            .order_by("language_model__slug", "workload__slug")
            .values_list("language_model__slug", "workload__slug")
        )
    if not full:
        raise CommandError(
            "no model has 50 estimates of one workload; `manage.py recalculate` makes them, or name another "
            "database by DATABASE_URL or DATABASE_NAME"
        )
    chosen = [full[number * len(full) // most] for number in range(min(most, len(full)))]
    return [
        f"model={model}&workload={workload}&ordering=usd_per_mtok_output&limit=50"
        for model, workload in chosen
    ]


@contextmanager
def served() -> Iterator[int]:
    """The service's web server, started as `make run` does, on a free port; ended afterwards."""
    from config.processes import end_all
    from config.supervisor import children_of_the_service

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = children_of_the_service("127.0.0.1", port)["web"]
    web.environment["DJANGO_SETTINGS_MODULE"] = "estimates.benchmarks.hot_list.settings"
    web.environment["DATABASE_NAME"] = settings.DATABASE_NAME
    written: deque[str] = deque(maxlen=3)
    stopping = threading.Event()
    web.start()
    # A server whose lines nobody reads stops when the pipe is full.
    reader = threading.Thread(target=read_lines, args=(web, written, stopping))
    reader.start()
    try:
        wait_for(port, web, written)
        yield port
    finally:
        stopping.set()
        reader.join()
        end_all([web], lambda name, line: None)


def read_lines(web: Child, written: deque[str], stopping: threading.Event) -> None:
    """Take what the server writes, as `make run` does."""
    while not stopping.wait(0.05):
        web.forward(lambda name, line: written.append(line))


def wait_for(port: int, web: Child, written: deque[str]) -> None:
    """Return once the server answers. Raises CommandError."""
    from config.probe import status_of

    deadline = time.monotonic() + READY_SECONDS
    while status_of(f"http://127.0.0.1:{port}/bare/nothing") != 200:
        if not web.running or time.monotonic() > deadline:
            raise CommandError(f"the web server did not start: {' / '.join(written)}")
        time.sleep(0.1)


def check_equal(connection: Any, query: str) -> str:
    """The ETag of the list, once it is the same answer as the bare view's. Raises CommandError."""
    from estimates.benchmarks.hot_list.client import Asked

    ours = connection.ask(Asked(f"/api/v1/estimates?{query}"))
    found = difference(
        orjson.loads(ours.body), orjson.loads(connection.ask(Asked(f"/bare/estimates?{query}")).body)
    )
    if found:
        raise CommandError(f"the bare view's answer to {query} is another: {found}")
    return str(ours.etag)


def difference(one: Any, other: Any, where: str = "") -> str:
    """Where two JSON values differ first, but for how numbers and times are written; empty where nowhere."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{where}: keys {sorted(one.keys() ^ other.keys())}"
        return next(filter(None, (difference(one[k], other[k], f"{where}/{k}") for k in one)), "")
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{where}: {len(one)} and {len(other)} entries"
        pairs = enumerate(zip(one, other, strict=True))
        return next(filter(None, (difference(a, b, f"{where}/{n}") for n, (a, b) in pairs)), "")
    return "" if same(one, other) else f"{where}: {one!r} and {other!r}"


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal: money to its six digits, times as instants."""
    if one == other:
        return True
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return False
    try:
        return isclose(float(one), float(other), rel_tol=1e-5)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return False


def lines(found: dict[str, Any]) -> list[str]:
    """The run for people."""

    def shown(name: str) -> str:
        low, high = found[f"{name}_spread"]
        return f"{found[name]:.2f} ({low:.2f} to {high:.2f})"

    return [
        f"the ranked list: {found['list_rps']:,.0f} requests a second, {shown('list_ratio')} of the bare "
        f"view's {found['bare_rps']:,.0f}",
        f"with nothing kept from earlier requests: {found['unkept_rps']:,.0f}, {shown('unkept_list_ratio')}",
        f"304 Not Modified: {found['not_modified_rps']:,.0f}, {shown('not_modified_ratio')} of the full list",
        f"server and load generator with nothing to answer: {found['nothing_rps']:,.0f}",
        f"median of {found['rounds']} rounds of {found['seconds']} s a kind, {found['lists']} lists in turn, "
        f"{found['connections']} connections, {found['cores']} cores, load {found['load'][0]}; Python "
        f"{sys.version.split()[0]}",
    ]
