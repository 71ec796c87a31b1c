"""Probes: `/healthz` says that the process answers, `/readyz` that it can do its work."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from config.broker import broker_answers
from config.problems import problem


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; touches nothing."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers with every migration applied, else 503.

    A broker that is down delays recalculation and is reported, but reading and writing go on without it.
    """
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return problem(
            503, "migrations-missing", f"{len(missing)} migrations are not applied: run manage.py migrate."
        )
    broker = broker_answers()
    return JsonResponse(
        {
            "status": "ok" if broker else "degraded",
            "database": "ok",
            "migrations": "ok",
            "broker": "ok" if broker else "unavailable",
        }
    )
