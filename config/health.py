"""Probes: `/healthz` says that the process answers, `/readyz` that it can do its work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from config.broker import queue_depth
from config.problems import problem

#: A probe waits no longer for a statement: who asks gives up after some seconds.
STATEMENT_MS: Final = 2_000

Check = dict[str, Any]


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers with every migration applied and nothing is stale beyond the limit.

    Else 503. A broker that is down delays recalculation and is reported as `degraded`, but reading and
    writing go on without it; so is an age that could not be read in time.
    """
    checks: dict[str, Check] = {}
    for name, check in (("database", _database), ("migrations", _migrations), ("estimates", _estimates)):
        checks[name] = _answered(check) if _standing(checks) else {"status": "unknown"}
    checks["broker"] = _broker()
    for name, code, detail in FAILURES:
        if checks[name]["status"] == "failed":
            return problem(503, code, detail.format(**checks[name]), retry_after_seconds=5, checks=checks)
    degraded = any(check["status"] != "ok" for check in checks.values())
    response = JsonResponse({"status": "degraded" if degraded else "ok", "checks": checks})
    response["Cache-Control"] = "no-store"
    return response


FAILURES: Final = (
    ("database", "database-unavailable", "The database does not answer: {reason}."),
    ("migrations", "migrations-missing", "{missing} migrations are not applied: run manage.py migrate."),
    (
        "estimates",
        "estimates-stale",
        "The oldest stale estimate has been so for {oldest_stale_seconds} s; the limit is {limit_seconds} s.",
    ),
)


def _standing(checks: dict[str, Check]) -> bool:
    return all(check["status"] == "ok" for check in checks.values())


def _answered(check: Callable[[], Check]) -> Check:
    """The check; failed where the database is gone, unknown where it could not say in time."""
    try:
        with statements_end_after(STATEMENT_MS):
            return check()
    except (OperationalError, InterfaceError) as error:
        state = getattr(error.__cause__, "sqlstate", None)
        gone = state is None or state.startswith(("08", "53", "57P"))
        reason = " ".join(str(error).split())
        return {"status": "failed" if gone else "unknown", "reason": reason[:200]}
    except DatabaseError as error:
        return {"status": "unknown", "reason": " ".join(str(error).split())[:200]}


@contextmanager
def statements_end_after(milliseconds: int) -> Iterator[None]:
    """A transaction whose statements are ended by the server after this time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
        yield
        with connection.cursor() as cursor:  # within another transaction the limit would outlast this one
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def _database() -> Check:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"status": "ok", "seconds": round(time.perf_counter() - began, 6)}


def _migrations() -> Check:
    """Those that this code has and the database has not; what newer code has applied does not matter."""
    missing = missing_migrations()
    return {"status": "failed" if missing else "ok", "missing": len(missing)}


def missing_migrations() -> list[tuple[str, str]]:
    """Migrations of this code that are not applied. One small query; the files are read once a process."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    return [
        key
        for key, replaced in _migrations_of_the_code()
        if key not in applied and not (replaced and applied.issuperset(replaced))
    ]


@lru_cache(maxsize=1)
def _migrations_of_the_code() -> list[tuple[tuple[str, str], tuple[tuple[str, str], ...]]]:
    """Each migration and what it replaces, in order of their names."""
    loader = MigrationLoader(None)
    found = []
    for key in sorted(loader.graph.nodes):
        found.append((key, tuple(loader.disk_migrations[key].replaces)))
    return found


def _estimates() -> Check:
    """How long the oldest stale estimate has been so, against ATLAS_READY_STALE_SECONDS."""
    from estimates.pulse import backlog_of_late

    limit = settings.ATLAS_READY_STALE_SECONDS
    oldest = backlog_of_late().oldest_stale_seconds
    return {
        "status": "failed" if limit and oldest > limit else "ok",
        "oldest_stale_seconds": oldest,
        "limit_seconds": limit or None,
    }


def _broker() -> Check:
    waiting = queue_depth()
    return {"status": "unavailable" if waiting is None else "ok", "tasks_waiting": waiting}
