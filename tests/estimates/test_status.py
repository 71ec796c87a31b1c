"""`manage.py status`: what it counts and what it says about worker, broker and staleness."""

import io
import json

import pytest
from django.core.management import call_command

from catalog.models import Vendor
from config import embedded

pytestmark = pytest.mark.django_db
KEYS = {
    *(
        "accelerators",
        "systems",
        "models",
        "price_quotes",
        "token_prices",
        "measurement_runs",
        "claims",
        "estimates",
    ),
    *("stale", "oldest_stale_seconds", "parked", "claimed", "worker", "broker", "versions"),
    *("configurations_per_second", "rows_per_second", "tasks_waiting", "schedules", "missing_migrations"),
}


def status(*arguments: str) -> str:
    output = io.StringIO()
    call_command("status", *arguments, stdout=output)
    return output.getvalue()


def test_an_empty_service_counts_nothing_and_is_stale_in_nothing():
    told = json.loads(status("--json"))
    assert set(told) >= KEYS
    assert told["accelerators"] == 0
    assert (told["stale"], told["oldest_stale_seconds"]) == (0, 0.0)


def test_a_fact_is_counted():
    before = json.loads(status("--json"))["vendors"]
    Vendor.objects.create(slug="a-vendor", name="A vendor")
    assert json.loads(status("--json"))["vendors"] == before + 1


def test_a_broker_without_a_worker_is_told_apart():
    embedded.ensure_valkey()
    told = json.loads(status("--json"))
    assert (told["broker"], told["workers"]) == ("answering", [])
    assert told["worker"] == "none answers"


def test_a_broker_that_is_down_is_no_error(monkeypatch):
    monkeypatch.setattr("config.broker.queue_depth", lambda: None)
    told = json.loads(status("--json"))
    assert (told["broker"], told["tasks_waiting"], told["workers"]) == ("unavailable", None, [])


def test_versions_name_the_engine_in_use():
    assert json.loads(status("--json"))["versions"]["postgres"].startswith("18.")


def test_the_table_has_a_line_for_each():
    lines = status().splitlines()
    assert {line[:26].strip().replace(" ", "_") for line in lines} >= KEYS
