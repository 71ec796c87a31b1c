"""A private service with the whole catalogue, of which a bounded part is recalculated again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from catalog.models import LanguageModel
from config import embedded
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import Calculation
from estimates.priority import models_by_use
from estimates.staleness import create_missing_calculations

#: Statements are counted, those that planning took time for too.
STATISTICS: Final = """
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track_planning = on
pg_stat_statements.track = all
"""
HINT_EVERY_SECONDS: Final = 3.0
READY_WITHIN_SECONDS: Final = 60.0


@contextmanager
def service() -> Iterator[None]:
    """Private servers that count their statements, migrated and loaded; stopped at the end."""
    if not (settings.DATABASE_IS_PRIVATE and settings.BROKER_IS_PRIVATE):
        raise RuntimeError("the benchmark makes servers of its own: unset DATABASE_URL and BROKER_URL")
    if embedded.postgres_data_dir().exists():
        raise RuntimeError(f"{embedded.local_dir()} holds a service already; name an empty directory")
    try:
        embedded.ensure_postgres()
        embedded.stop_postgres()
        with (embedded.postgres_data_dir() / "postgresql.conf").open("a") as file:
            file.write(STATISTICS)
        embedded.ensure_postgres()
        embedded.ensure_valkey()
        say("loading the catalogue")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_catalog", stdout=sys.stderr, stderr=sys.stderr)
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_stat_statements")
        create_missing_calculations()
        yield
    finally:
        connections.close_all()
        embedded.stop_valkey()
        embedded.stop_postgres()


def say(text: str) -> None:
    """Progress, beside the figures."""
    print(text, file=sys.stderr, flush=True)


def most_used(models: int) -> list[int]:
    """The most used language models that generate text, most used first."""
    generating = set(LanguageModel.objects.filter(role="decoder").values_list("pk", flat=True))
    return [pk for pk in models_by_use() if pk in generating][:models]


def leave_only(models: list[int]) -> int:
    """Nothing is estimated and only calculations of these models are wanted; how many those are."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE estimates_estimate")
        cursor.execute(
            """
            UPDATE estimates_calculation c SET
                state = 'done', model_version = m.version, accelerator_version = a.version, attempts = 0,
                workloads_digest = %s, method_version = %s, input_digest = '', run_id = NULL, error = ''
            FROM catalog_languagemodel m, catalog_accelerator a
            WHERE m.id = c.language_model_id AND a.id = c.accelerator_id
            """,
            [read_workloads().digest, method_version()],
        )
        wanted = Calculation.objects.filter(language_model__in=models).update(state="never")
        cursor.execute("VACUUM ANALYZE estimates_calculation")
        cursor.execute("VACUUM ANALYZE estimates_estimate")
        cursor.execute("CHECKPOINT")
    return wanted


def addresses() -> dict[str, str]:
    """All that a worker group is told: where Postgres and the broker are, and the secret of the service."""
    host = quote(str(embedded.socket_dir()), safe="")
    name = settings.DATABASES["default"]["NAME"]
    return {
        "DATABASE_URL": f"postgres://{embedded.POSTGRES_USER}@/{name}?host={host}",
        "BROKER_URL": embedded.broker_url(),
        "SECRET_KEY": settings.SECRET_KEY,
    }


@contextmanager
def worker_groups(groups: int, processes: int) -> Iterator[list[int]]:
    """That many worker groups, each started by itself; their process ids. They answer when this begins."""
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    environment |= addresses() | {"LOG_LEVEL": "WARNING", "OPENBLAS_NUM_THREADS": "1"}
    options = [f"--concurrency={processes}", "--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    command = [sys.executable, "-m", "celery", "--quiet", "--app=config", "worker", *options]
    started = [
        subprocess.Popen(
            [*command, f"--hostname=group{number}@%h"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=sys.stderr,
            start_new_session=True,
        )
        for number in range(groups)
    ]
    try:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while len(current_app.control.ping(timeout=0.5) or []) < groups:
            if time.monotonic() > deadline or any(one.poll() is not None for one in started):
                raise RuntimeError("not every worker group has begun; see above")
        yield [one.pid for one in started]
    finally:
        for one in started:
            one.terminate()
        for one in started:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()


def hint(processes: int) -> None:
    """What beat sends every few seconds, for each process."""
    for _ in range(processes):
        current_app.send_task("estimates.sweep", expires=HINT_EVERY_SECONDS)
