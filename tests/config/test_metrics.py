"""`/metrics`: what is counted of requests, who may read it, and what it says of parts that cannot be read."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.db import OperationalError, ProgrammingError
from django.utils import timezone
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from catalog.models import Vendor
from config import embedded
from config.access.models import Scope
from config.access.tokens import create_token
from config.metrics.latency import quantile
from estimates import metrics
from estimates.convergence.models import WorkTally

pytestmark = pytest.mark.django_db
DOCUMENTS = embedded.BASE_DIR / "docs" / "observability"
PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"


@pytest.fixture(autouse=True)
def broker():
    embedded.ensure_valkey()


def scrape(client: Any) -> dict[str, Metric]:
    response = client.get("/metrics")
    assert response.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """The one sample of this name that has these labels."""
    (found,) = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return float(found)


def requests_of(client: Any, route: str, status: str) -> float:
    name = "atlas_http_request_duration_seconds_count"
    return sum(
        sample.value
        for sample in scrape(client)["atlas_http_request_duration_seconds"].samples
        if sample.name == name and (sample.labels["route"], sample.labels["status"]) == (route, status)
    )


def test_a_request_is_counted_under_the_name_of_its_route(client):
    before = requests_of(client, "healthz", "2xx")
    client.get("/healthz")
    client.get("/healthz?any=thing")
    assert requests_of(client, "healthz", "2xx") == before + 2


@pytest.mark.parametrize("path", ["/no/such/page", "/api/v1/no-such-thing", "/wp-login.php"])
def test_addresses_that_are_none_share_one_label(client, path):
    before = requests_of(client, "unknown", "4xx")
    client.get(path)
    assert requests_of(client, "unknown", "4xx") == before + 1
    assert path.split("/")[-1] not in client.get("/metrics").text


def test_a_method_of_the_clients_invention_is_no_label(client):
    client.generic("BREW", "/healthz")
    text = client.get("/metrics").text
    assert "BREW" not in text
    assert 'method="other",route="healthz"' in text


def test_prometheus_is_answered_in_the_format_that_it_prefers(client):
    response = client.get("/metrics", headers={"Accept": PROMETHEUS})
    assert response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert response.text.endswith("# EOF\n")


def test_it_is_closed_where_reading_is(client, settings):
    settings.ATLAS_ANONYMOUS_READ = False
    response = client.get("/metrics")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_a_token_that_may_read_opens_it(client, settings, django_user_model):
    settings.ATLAS_ANONYMOUS_READ = False
    owner = django_user_model.objects.create_user("prometheus")
    secret = create_token(owner, [Scope.READ])[0]
    assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_every_part_says_whether_it_could_be_read(client):
    families = scrape(client)
    assert {
        part: value(families, "atlas_scrape_part_up", part=part) for part in metrics.PARTS
    } == dict.fromkeys(metrics.PARTS, 1.0)


def test_a_part_that_fails_leaves_the_others(client, monkeypatch):
    def fails() -> Iterator[Metric]:
        raise ProgrammingError("no such table")

    monkeypatch.setitem(metrics.PARTS, "staleness", fails)
    families = scrape(client)
    assert value(families, "atlas_scrape_part_up", part="staleness") == 0
    assert value(families, "atlas_scrape_part_up", part="facts") == 1
    assert "atlas_stale_calculations" not in families


def test_without_a_database_it_asks_once_and_tells_the_rest(client, monkeypatch):
    asked = []

    def refuse(milliseconds: int) -> None:
        asked.append(milliseconds)
        raise OperationalError("connection refused")

    monkeypatch.setattr(metrics, "statements_end_after", refuse)
    families = scrape(client)
    assert len(asked) == 1
    assert {part for part in metrics.PARTS if value(families, "atlas_scrape_part_up", part=part)} == {
        "build",
        "broker",
    }
    assert "atlas_http_request_duration_seconds" in families


def test_without_a_broker_the_queue_is_absent(client, monkeypatch):
    monkeypatch.setattr(metrics, "queue_depth", lambda: None)
    families = scrape(client)
    assert value(families, "atlas_broker_up") == 0
    assert "atlas_queue_tasks" not in families


def test_a_tally_is_told_as_counters_and_as_a_cumulative_histogram(client):
    """3 chunks: one up to 0.05 s, one from 0.25 to 0.5 s, one above 30 s."""
    WorkTally.objects.create(
        worker="w@host/0",
        chunks=3,
        calculations=40,
        failed=2,
        configurations=9_000,
        rows_written=120,
        seconds=32.4,
        durations=[1, 0, 0, 1, 0, 0, 0, 0, 0, 1],
        last_at=timezone.now(),
    )
    families = scrape(client)
    worker = {"worker": "w@host/0"}
    assert value(families, "atlas_recalculation_configurations_total", **worker) == 9_000
    assert value(families, "atlas_recalculation_rows_total", **worker) == 120
    assert value(families, "atlas_recalculation_failures_total", **worker) == 2
    name = "atlas_recalculation_chunk_duration_seconds"
    assert value(families, f"{name}_bucket", le="0.05", **worker) == 1
    assert value(families, f"{name}_bucket", le="0.25", **worker) == 1
    assert value(families, f"{name}_bucket", le="0.5", **worker) == 2
    assert value(families, f"{name}_bucket", le="+Inf", **worker) == 3
    assert value(families, f"{name}_sum", **worker) == 32.4


def test_a_scrape_asks_the_database_little(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        client.get("/metrics")


def test_quantiles_are_interpolated_within_their_class():
    """10 up to 0.1 s and 10 from there to 0.2 s: half at 0.1 s, 75% in the middle of the second class."""
    classes = {0.1: 10.0, 0.2: 20.0, float("inf"): 20.0}
    assert quantile(classes, 0.5) == pytest.approx(0.1)
    assert quantile(classes, 0.75) == pytest.approx(0.15)
    assert quantile({0.1: 0.0, float("inf"): 4.0}, 0.5) == float("inf")
    assert quantile({}, 0.5) is None


def names_in(expressions: Iterator[str]) -> set[str]:
    return {name for text in expressions for name in re.findall(r"\batlas_[a-z0-9_]+", text)}


def dashboard_expressions() -> Iterator[str]:
    board = json.loads((DOCUMENTS / "grafana-dashboard.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def alert_expressions() -> Iterator[str]:
    for group in yaml.safe_load((DOCUMENTS / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


@pytest.mark.parametrize(
    "expressions",
    [
        dashboard_expressions,
        alert_expressions,
        lambda: iter([(DOCUMENTS.parent / "observability.md").read_text()]),
    ],
    ids=["dashboard", "alerts", "documentation"],
)
def test_every_metric_that_is_named_exists(client, expressions):
    Vendor.objects.create(slug="v", name="V")  # without a fact there is no last change to tell of
    described = set()
    for family in scrape(client).values():
        described.add(family.name)
        if family.type == "counter":
            described.add(f"{family.name}_total")
        if family.type == "histogram":
            described |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
    named = names_in(expressions())
    assert named
    assert named - described == set()
