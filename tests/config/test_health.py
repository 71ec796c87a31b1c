"""`/readyz`: each check with its status and figure; 503 with the checks where the work cannot be done."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from catalog.models import Accelerator
from config import embedded
from config.health import missing_migrations
from tests.estimates.conftest import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker():
    embedded.ensure_valkey()


def stale_for(**ago: float) -> None:
    """The tiny catalogue, never calculated, whose facts were changed so long ago."""
    from catalog.models import LanguageModel
    from estimates.staleness import create_missing_calculations

    build()
    create_missing_calculations()
    at = timezone.now() - timedelta(**ago)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica"
        )  # no trigger stamps the change with now
        Accelerator.objects.update(changed_at=at)
        LanguageModel.objects.update(changed_at=at)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_ready_with_a_status_and_a_figure_of_each_check(client, broker):
    response = client.get("/readyz")
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ok"
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
        "estimates": "ok",
        "broker": "ok",
    }
    assert body["checks"]["migrations"]["missing"] == 0
    assert body["checks"]["estimates"]["oldest_stale_seconds"] == 0.0
    assert body["checks"]["estimates"]["limit_seconds"] == 3600
    assert 0 <= body["checks"]["database"]["seconds"] < 2


def test_a_broker_that_is_down_degrades_and_no_more(client, monkeypatch):
    monkeypatch.setattr("config.health.queue_depth", lambda: None)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["broker"] == {"status": "unavailable", "tasks_waiting": None}


def test_a_missing_migration_is_503_and_what_depends_on_it_is_unknown(client):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["type"].endswith(":migrations-missing")
    assert response.json()["checks"]["migrations"] == {"status": "failed", "missing": 1}
    assert response.json()["checks"]["estimates"]["status"] == "unknown"


def test_a_migration_of_newer_code_does_not_matter(client):
    MigrationRecorder(connection).record_applied("estimates", "9999_of_the_next_version")
    assert missing_migrations() == []
    assert client.get("/readyz").status_code == 200


def test_a_database_that_is_gone_is_503_with_the_checks(client, monkeypatch):
    def refuse(*arguments, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr("config.health.statements_end_after", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["type"].endswith(":database-unavailable")
    assert response.json()["checks"]["database"] == {"status": "failed", "reason": "connection refused"}
    assert response["Retry-After"] == "5"


def test_estimates_stale_beyond_the_limit_are_503_with_their_age(client):
    stale_for(hours=2)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["type"].endswith(":estimates-stale")
    assert 7200 <= response.json()["checks"]["estimates"]["oldest_stale_seconds"] < 7300


def test_estimates_stale_within_the_limit_are_no_fault(client):
    stale_for(minutes=30)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert 1800 <= response.json()["checks"]["estimates"]["oldest_stale_seconds"] < 1900


def test_without_a_limit_no_age_is_too_high(client, settings):
    settings.ATLAS_READY_STALE_SECONDS = 0
    stale_for(hours=2)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"]["estimates"]["limit_seconds"] is None


def test_it_asks_the_database_little(client, django_assert_max_num_queries):
    client.get("/readyz")  # the files of the migrations are read once
    with django_assert_max_num_queries(20):
        client.get("/readyz")


def test_it_answers_head_and_nothing_else(client):
    assert client.head("/healthz").status_code == 200
    assert client.post("/readyz").status_code == 405
