"""Queries of each address, pinned in query_counts.json; a list of many rows costs no more than one of one.

A changed count is a decision: `ATLAS_WRITE_QUERY_COUNTS=1 pytest tests/api -k query_counts` writes it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.api.urls import RESOURCES
from estimates.api.claims import CLAIMS
from estimates.api.jobs import JOBS
from estimates.api.runs import RUNS
from estimates.api.schedules import SCHEDULED_RUNS, SCHEDULES
from tests.api.small_catalogue import read

pytestmark = pytest.mark.django_db
PINNED = Path(__file__).with_name("query_counts.json")
QUESTION = "estimates?model=llama-3.1-70b-instruct&workload=chat"
LISTS = [resource.name for resource in (*RESOURCES, CLAIMS, JOBS, RUNS, SCHEDULES, SCHEDULED_RUNS)]
LISTS += ["estimates", QUESTION, "changes"]
LISTS += ["accuracy", "accuracy/runs", "estimates/break-even?model=llama-3.1-70b-instruct&basis=any"]


def count(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        read(client, address)
    return len([query for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_queries_are_as_pinned(client: Client, catalogue: Any, calibrated: Path) -> None:
    client.get("/api/v1/estimates")  # reads efficiency data and such once a process
    counted = {address: count(client, address) for address in LISTS}
    for resource in (*RESOURCES, CLAIMS, JOBS, RUNS, SCHEDULES, SCHEDULED_RUNS):
        key = read(client, resource.name)["results"][0][resource.key]
        counted[f"{resource.name}/{{key}}"] = count(client, f"{resource.name}/{key}")
    for name in ("accelerators/nvidia-h100-sxm/history", "vendors/nvidia/history"):
        counted[name] = count(client, name)
    for name in ("peak-rates", "price-quotes", "vendors", "models"):
        change = read(client, f"changes?resource={name}&limit=1")["results"][0]["id"]
        counted[f"changes/{{{name}}}"] = count(client, f"changes/{change}")
        counted[f"changes/{{{name}}}/effects"] = count(client, f"changes/{change}/effects")
    if os.environ.get("ATLAS_WRITE_QUERY_COUNTS"):
        PINNED.write_text(json.dumps(counted, indent=1, sort_keys=True) + "\n")
    assert counted == json.loads(PINNED.read_text())


@pytest.mark.parametrize("address", ["accelerators", "figures", "price-quotes", QUESTION])
def test_more_rows_cost_no_more_queries(address: str, client: Client, catalogue: Any) -> None:
    separator = "&" if "?" in address else "?"
    client.get(f"/api/v1/{address}")
    assert count(client, f"{address}{separator}limit=1") <= count(client, address) + 1
