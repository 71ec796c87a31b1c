"""Schedules over the API: their definitions, slots and ledger; running one now needs the right token."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.access.tokens import create_token
from estimates.schedules.models import Schedule, ScheduledRun
from estimates.schedules.tick import tick
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def pruning() -> Schedule:
    """Prunes at 02:30 in Berlin; two runs in the ledger, of which one covers the other."""
    Schedule.objects.all().delete()
    row = Schedule.objects.create(
        slug="nightly-pruning", title="Pruning", kind="pruning", cron="30 2 * * *", time_zone="Europe/Berlin"
    )
    slot = datetime(2026, 3, 29, 1, tzinfo=UTC)
    run = ScheduledRun.objects.create(
        schedule=row,
        slot=slot,
        state="done",
        outcome="deleted 12 jobs",
        counts={"jobs": 12},
        missed=1,
        log="x\n",
    )
    before = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    ScheduledRun.objects.create(schedule=row, slot=before, state="covered", covered_by=run)
    return row


def auth(owner: User, *scopes: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {create_token(owner, list(scopes))[0]}"}}


def test_a_schedule_tells_its_next_slots_in_utc_and_its_last_run(client: Client, pruning: Schedule) -> None:
    row = read(client, "schedules/nightly-pruning")
    assert (row["cron"], row["time_zone"], row["parameters"]) == ("30 2 * * *", "Europe/Berlin", {})
    assert len(row["next_slots"]) == 5
    assert all(slot.endswith(("T00:30:00Z", "T01:30:00Z", "T01:00:00Z")) for slot in row["next_slots"])
    assert (row["last_run"]["state"], row["last_run"]["slot"]) == ("done", "2026-03-29T01:00:00Z")
    Schedule.objects.update(enabled=False)
    assert read(client, "schedules?enabled=false")["results"][0]["next_slots"] == []


def test_runs_are_filtered_by_schedule_state_and_time(client: Client, pruning: Schedule) -> None:
    listed = read(client, "scheduled-runs?schedule=nightly-pruning&state=done")["results"]
    assert [(row["outcome"], row["counts"], row["missed"]) for row in listed] == [
        ("deleted 12 jobs", {"jobs": 12}, 1)
    ]
    assert "log" not in listed[0]
    covered = read(client, "schedules/nightly-pruning/runs?state=covered")["results"]
    assert [row["covered_by"] for row in covered] == [listed[0]["id"]]
    assert read(client, "scheduled-runs?since=2026-03-29T00:00:00Z")["count"] == 1
    assert read(client, f"scheduled-runs/{listed[0]['id']}")["log"] == "x\n"


@pytest.mark.parametrize(
    ("address", "status", "pointer"),
    [
        ("scheduled-runs?since=yesterday", 400, "?since"),
        ("scheduled-runs?state=asleep", 400, "?state"),
        ("scheduled-runs?schedule=nightly-prunin", 400, "?schedule"),
        ("schedules/nightly-prunin", 404, ""),
        ("schedules/nightly-prunin/runs", 404, ""),
    ],
)
def test_faults_say_where_and_what_is_accepted(
    client: Client, pruning: Schedule, address: str, status: int, pointer: str
) -> None:
    body = problem_of(client.get(f"/api/v1/{address}"), status)
    assert body["errors"][0]["pointer"] == pointer
    assert body["errors"][0]["accepted"]


def test_running_now_answers_202_with_the_address_of_the_run(
    client: Client, editor: User, pruning: Schedule
) -> None:
    asked = client.post("/api/v1/schedules/nightly-pruning/run", **auth(editor, "run_jobs"))
    assert asked.status_code == 202
    row = orjson.loads(asked.content)
    assert (row["state"], row["slot"], row["asked_by"]) == ("waiting", None, "editor")
    assert asked["Location"] == f"/api/v1/scheduled-runs/{row['id']}"
    again = client.post("/api/v1/schedules/nightly-pruning/run", **auth(editor, "run_jobs"))
    assert again["Location"] == asked["Location"]
    assert tick().done == 1
    done = read(client, f"scheduled-runs/{row['id']}")
    assert (done["state"], done["outcome"]) == ("done", "nothing was past its keeping")
    assert done["seconds"] >= 0


def test_running_now_needs_the_scope_and_a_schedule(client: Client, editor: User, pruning: Schedule) -> None:
    address = "/api/v1/schedules/nightly-pruning/run"
    problem_of(client.post(address), 401)
    problem_of(client.post(address, **auth(editor, "read", "write_facts")), 403)
    problem_of(client.post(address.replace("pruning", "prunin"), **auth(editor, "run_jobs")), 404)
    problem_of(client.post(address + "?now=1", **auth(editor, "run_jobs")), 400)
    assert not ScheduledRun.objects.filter(slot=None).exists()


DEFINITION = {
    "slug": "morning-report",
    "title": "Morning report",
    "kind": "freshness_report",
    "cron": "30 6 * * MON",
    "time_zone": "Europe/Berlin",
}


def send(client: Client, method: str, address: str, body: Any, owner: User, **headers: str) -> Any:
    own = auth(owner, "admin")["headers"] | headers
    given = {"data": orjson.dumps(body), "content_type": "application/json", "headers": own}
    return client.generic(method, f"/api/v1/{address}", **given)


def test_a_schedule_is_added_changed_and_deleted_with_its_history(
    client: Client, editor: User, pruning: Schedule
) -> None:
    added = send(client, "POST", "schedules", DEFINITION, editor)
    assert (added.status_code, added["Location"]) == (201, "/api/v1/schedules/morning-report")
    assert orjson.loads(added.content)["owner"] == "editor"
    etag = client.get("/api/v1/schedules/morning-report")["ETag"]
    change = {"cron": "0 7 * * MON", "change_reason": "later"}
    problem_of(send(client, "PATCH", "schedules/morning-report", change, editor), 428)
    changed = send(client, "PATCH", "schedules/morning-report", change, editor, **{"if-match": etag})
    assert (changed.status_code, orjson.loads(changed.content)["version"]) == (200, 2)
    problem_of(send(client, "PATCH", "schedules/morning-report", change, editor, **{"if-match": etag}), 412)
    row = Schedule.objects.get(slug="morning-report")
    assert row.events.order_by("pgh_id").last().pgh_context.metadata["reason"] == "later"
    gone = send(client, "DELETE", "schedules/morning-report", None, editor, **{"if-match": changed["ETag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    problem_of(client.get("/api/v1/schedules/morning-report"), 404)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cron": "61 * * * *"}, "/cron"),
        ({"cron": 5}, "/cron"),
        ({"time_zone": "Mars"}, "/time_zone"),
        ({"kind": "sleep"}, "/kind"),
        ({"parameters": {"days": 3}}, "/parameters/days"),
        ({"parameters": []}, "/parameters"),
        ({"catch_up": "all"}, "/catch_up"),
        ({"slug": "Morning Report"}, "/slug"),
        ({"slug": "nightly-pruning"}, "/slug"),
        ({"colour": "red"}, "/colour"),
        ({"title": ""}, "/title"),
    ],
)
def test_a_faulty_definition_is_refused_with_pointer_and_what_is_accepted(
    client: Client, editor: User, pruning: Schedule, change: dict[str, Any], pointer: str
) -> None:
    body = problem_of(send(client, "POST", "schedules", DEFINITION | change, editor), 400)
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]
    assert body["errors"][0]["accepted"]
    assert Schedule.objects.get() == pruning


def test_defining_needs_the_scope_admin(client: Client, editor: User, pruning: Schedule) -> None:
    own = auth(editor, "run_jobs", "write_facts")
    problem_of(client.post("/api/v1/schedules", DEFINITION, content_type="application/json", **own), 403)
    assert Schedule.objects.count() == 1
