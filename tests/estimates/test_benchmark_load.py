"""The load's own arithmetic and judgement: percentiles, memory, bounds, what a wrong answer is."""

import random
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from estimates.benchmarks.load import report
from estimates.benchmarks.load.client import Answer, Asked, HttpClient
from estimates.benchmarks.load.earlier import MissingVersion, files_of, pins
from estimates.benchmarks.load.memory import MemoryWatch
from estimates.benchmarks.load.mix import ASKING, SHARES, SHARES_SINCE_0_1_0, Reader, Subjects
from estimates.benchmarks.load.readers import Tally
from estimates.benchmarks.load.staleness import Edit, StalenessWatch
from estimates.benchmarks.load.upgrade import Steps, in_windows

LIST = "/api/v1/estimates?model=m&workload=chat"


def row(model: str = "m", usd: str | None = "1", number: int = 1) -> dict[str, Any]:
    return {"id": number, "model": model, "usd_per_mtok_output": usd, "tpot_ms": 1.0, "method_version": "a"}


def answer(body: Any, status: int = 200, etag: str = "") -> Answer:
    return Answer(status, orjson.dumps(body), etag, 0.0, 0.01)


@pytest.fixture
def reader() -> Reader:
    return Reader(Subjects(["m"], ["chat"], ["chip"]), SHARES, random.Random(1))


def test_shares_are_of_a_thousand_and_every_kind_can_be_asked() -> None:
    assert sum(SHARES.values()) == 1000
    assert SHARES.keys() == ASKING.keys()
    assert SHARES_SINCE_0_1_0.keys() < SHARES.keys()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"results": [row(usd="1"), row(usd="2"), row(usd=None)]}, ""),
        ({"results": []}, "a ranked list without rows"),
        ({"results": [row(), row(model="other")]}, "rows of another model than m"),
        ({"results": [row(usd="2"), row(usd="1")]}, "rows out of order"),
    ],
)
def test_a_ranked_list_has_the_rows_of_its_model_in_order(body: Any, fault: str, reader: Reader) -> None:
    assert reader.fault(Asked("ranked list", LIST), answer(body)) == fault


def test_a_list_that_was_seen_is_asked_for_by_its_etag_and_a_304_needs_that(reader: Reader) -> None:
    reader.fault(Asked("ranked list", LIST), answer({"results": [row(number=7)]}, etag='"e"'))
    asked = ASKING["unchanged (If-None-Match)"](reader, "unchanged (If-None-Match)")
    assert (asked.path, asked.headers) == (LIST, {"If-None-Match": '"e"'})
    assert reader.fault(asked, Answer(304, b"", "", 0, 0)) == ""
    assert reader.fault(Asked("ranked list", LIST), Answer(304, b"", "", 0, 0)) == "a 304 that nobody asked"
    assert reader.subjects.estimates == [7]
    assert reader.subjects.methods == {"a": 1}


def test_an_estimate_that_was_replaced_meanwhile_is_forgotten_and_no_fault(reader: Reader) -> None:
    reader.subjects.estimates.append(7)
    assert reader.fault(Asked("explain", "/api/v1/estimates/7/explain"), answer({}, 404)) == ""
    assert reader.subjects.estimates == []


def test_other_statuses_and_no_answer_are_faults(reader: Reader) -> None:
    assert reader.fault(Asked("catalogue list", "/api/v1/vendors"), answer({}, 404)).startswith("404")
    assert reader.fault(Asked("ranked list", LIST), answer({}, 500)).startswith("500")
    assert reader.fault(Asked("ranked list", LIST), Answer(0, b"", "", 0, 0, "refused")) == "refused"


class Closing(BaseHTTPRequestHandler):
    """Answers one request on each connection and closes it without saying so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """No access log in a test."""


@pytest.fixture
def closing_port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Closing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_get_on_a_connection_closed_meanwhile_is_sent_once_more(closing_port: int) -> None:
    client = HttpClient("127.0.0.1", closing_port)
    assert [client.send(Asked("x", "/")).status for _ in range(3)] == [200, 200, 200]
    assert client.resent == 2
    client.close()


def test_no_answer_is_told_as_such() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = HttpClient("127.0.0.1", port).send(Asked("x", "/"))
    assert (refused.status, refused.fault.split(":")[0]) == (0, "ConnectionRefusedError")


def test_latencies_are_percentiles_in_ms() -> None:
    # 1 to 101 ms: ranks 50, 90 and 99 of 0 to 100 are 51, 91 and 100 ms.
    found = report.latencies([n / 1000 for n in range(1, 102)])
    assert found == {"p50_ms": 51.0, "p90_ms": 91.0, "p99_ms": 100.0, "max_ms": 101.0}


def test_memory_is_compared_between_the_first_quarter_after_warm_up_and_the_last() -> None:
    # 1,000 s of which 180 are warm-up: quarters of 205 s, from 180 to 385 and from 795 to 1,000.
    watch = MemoryWatch({})
    watch.samples["web"] = [(0, 900.0), (200, 100.0), (380, 110.0), (500, 500.0), (800, 120.0), (990, 132.0)]
    assert watch.quarters(0, 1000) == {
        "web": {"first_quarter_mb": 105.0, "last_quarter_mb": 126.0, "most_mb": 900.0, "growth": 0.2}
    }


def bounds(**changes: Any) -> dict[str, Any]:
    tally = Tally(samples=[("x", 0.0, 0.1, 200)])
    memory = {"first_quarter_mb": 100.0, "last_quarter_mb": 109.0, "most_mb": 109.0, "growth": 0.09}
    found = {
        "answers": report.requests(tally, 1.0),
        "staleness": {"edits": 1, "never_converged": 0, "p99_s": 9.9},
        "memory": {"web": memory},
    }
    return found | changes


@pytest.mark.parametrize(
    ("change", "minutes", "wrong"),
    [
        ({}, 20, ""),
        ({"staleness": {"edits": 1, "never_converged": 0, "p99_s": 10.0}}, 20, "staleness p99"),
        ({"staleness": {"edits": 1, "never_converged": 1}}, 20, "1 edits had not reached"),
        ({"died": ["worker ended"]}, 20, "worker ended"),
    ],
)
def test_a_bound_that_does_not_hold_is_told(change: dict[str, Any], minutes: float, wrong: str) -> None:
    found = report.broken(bounds(**change), minutes)
    assert (found == []) if not wrong else found[0].startswith(wrong)


def test_growth_is_judged_of_runs_of_ten_minutes_and_more() -> None:
    found = bounds()
    found["memory"]["web"]["growth"] = 0.11
    assert report.broken(found, 9) == []
    assert report.broken(found, 10)[0].startswith("memory of web grew by 11.0%")


def test_a_failed_request_is_told_with_the_first_fault() -> None:
    tally = Tally()
    tally.add(Asked("ranked list", LIST), 0.0, 0.1, 500, "500: broken")
    found = bounds(answers=report.requests(tally, 1.0))
    assert (found["answers"]["server_errors"], found["answers"]["failures"]) == (1, 1)
    assert "ranked list: GET" in report.broken(found, 1)[0]


def test_edits_left_open_never_converged() -> None:
    watch = StalenessWatch({}, open=[Edit("chip", 2, 0.0)], seconds=[1.0, 3.0])
    found = report.staleness(watch)
    assert (found["edits"], found["never_converged"], found["p50_s"], found["max_s"]) == (3, 1, 2.0, 3.0)


def test_a_step_counts_what_was_under_way_in_it() -> None:
    tally = Tally(samples=[("a", 0.0, 2.5, 200), ("b", 2.2, 0.1, 0), ("c", 4.0, 9.0, 200)])
    steps = Steps([("migrate", 2.0, 3.0)])
    assert in_windows(tally, steps) == [
        {"step": "migrate", "seconds": 1.0, "requests": 2, "failed": 1, "max_ms": 2500.0, "slowest": "a"}
    ]


def test_a_tag_that_is_not_here_ends_with_what_is_missing(tmp_path: Any) -> None:
    with pytest.raises(MissingVersion, match=r"v0\.0\.0-none"):
        files_of("v0.0.0-none", tmp_path)
    with pytest.raises(CommandError, match=r"v0\.0\.0-none") as refused:
        call_command("benchmark", "upgrade", "--from", "v0.0.0-none", "--directory", str(tmp_path / "t"))
    assert refused.value.returncode == 2


def test_pins_are_read_from_locked_requirements(tmp_path: Any) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("Django==6.1.3 \\\n    --hash=sha256:00\n# via x\ncelery==5.7.0; python_version > '3'\n")
    assert pins(path) == {"django": "6.1.3", "celery": "5.7.0"}
