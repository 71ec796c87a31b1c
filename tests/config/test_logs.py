"""Log lines as JSON, and the request id on its way from a request through the broker into a task's lines."""

import io
import json
import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pghistory.models
import pytest
from celery import current_app
from celery.worker.request import Request
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from catalog.models import Vendor
from config import embedded, request_id
from config.access_log import WebServerLog
from config.celery import AtlasTask, app
from config.logs import JsonFormatter

TASK = "tests.names_a_vendor"


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    request_id.RequestIdFilter().filter(record)
    found: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return found


def record(message: str = "made %d", *arguments: Any, **members: Any) -> logging.LogRecord:
    made = logging.LogRecord("estimates.sweeper", logging.WARNING, __file__, 1, message, arguments, None)
    vars(made).update(members)
    return made


@pytest.fixture
def lines(monkeypatch):
    """What is logged during the test as the JSON of each line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(request_id.RequestIdFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


@pytest.fixture
def asked():
    """A request with the id `r-17` is being answered."""
    request = RequestFactory().get("/")
    request_id.begin("r-17", request)
    yield request
    request_id.end()


def test_a_line_is_one_object_with_time_level_logger_and_message():
    made = record("made %d calculations", 3)
    line = line_of(made)
    assert (line["level"], line["logger"]) == ("WARNING", "estimates.sweeper")
    assert line["message"] == "made 3 calculations"
    at = datetime.fromisoformat(line["time"])
    assert at.utcoffset() == datetime.now(UTC).utcoffset()
    assert abs(at.timestamp() - made.created) < 0.001
    assert not {"request_id", "client", "task", "exception"} & set(line)  # nothing is known of them here


def test_a_line_break_stays_within_its_line():
    assert "\n" not in JsonFormatter().format(record("a\nb"))


def test_a_traceback_is_a_field():
    try:
        raise ValueError("of no use")
    except ValueError as error:
        made = record("failed", exc_info=(type(error), error, error.__traceback__))
    assert "ValueError: of no use" in line_of(made)["exception"]


def test_what_a_call_adds_stands_under_its_name():
    assert line_of(record("x", seconds=0.5, thing=object))["seconds"] == 0.5


def test_a_line_within_a_request_names_it_and_the_token(asked):
    asked.access_token_prefix = "abc123"
    line = line_of(record("x"))
    assert (line["request_id"], line["client"]) == ("r-17", "token abc123")


def test_a_line_names_the_person_once_the_session_has_been_read(asked):
    assert "client" not in line_of(record("x"))
    asked._cached_user = AnonymousUser()
    assert "client" not in line_of(record("x"))
    asked._cached_user = User(username="ada")
    assert line_of(record("x"))["client"] == "user ada"


def test_the_access_log_has_its_figures_as_fields(lines):
    log = WebServerLog.__new__(WebServerLog)
    log.access_log = logging.getLogger("gunicorn.access")
    response = SimpleNamespace(status="404 Not Found", sent=12, headers=[("X-Request-ID", "r-9")])
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/a?b=1", "PATH_INFO": "/a", "REMOTE_ADDR": "::1"}
    log.access(response, None, environ, SimpleNamespace(total_seconds=lambda: 0.0125))
    (line,) = lines()
    assert line["message"] == "GET /a?b=1 404 12 bytes 12 ms"
    assert (line["request_id"], line["path"], line["status"], line["seconds"]) == ("r-9", "/a", 404, 0.0125)


@pytest.fixture
def task(queue_of_the_tests):
    """A task that logs a line and changes a fact, on the real broker; gives what the worker would do."""
    embedded.ensure_valkey()

    @app.task(name=TASK)
    def names_a_vendor() -> None:
        logging.getLogger("estimates.sweeper").warning("swept")
        Vendor.objects.update(name="another name")

    def work_one() -> None:
        """Take one message off the queue and do it, as a worker's process does."""
        with app.connection_for_read() as connection:
            queue = connection.SimpleQueue(queue_of_the_tests)
            message = queue.get(timeout=5)
            message.ack()
            Request(message, app=app, hostname="w@test", task=app.tasks[TASK]).execute()
            queue.close()

    with app.connection_for_read() as connection:
        connection.default_channel.queue_purge(queue_of_the_tests)
    yield work_one
    app.tasks.pop(TASK)


@pytest.mark.django_db
def test_the_request_id_goes_with_a_task_into_its_log_lines_and_the_history(asked, task, lines):
    Vendor.objects.create(slug="v", name="V")
    sent = current_app.send_task(TASK)
    request_id.end()
    task()
    line = next(line for line in lines() if line["message"] == "swept")
    assert line["request_id"] == "r-17"
    assert (line["task"], line["task_id"]) == (TASK, sent.id)


@pytest.mark.django_db
def test_a_change_by_a_task_is_noted_with_the_request_that_sent_it(asked, task):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    noted: dict[str, Any] = {}

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        tracker = pghistory.runtime._tracker
        if sql.startswith("UPDATE") and hasattr(tracker, "value"):
            noted.update(tracker.value.metadata)
        return execute(sql, params, many, context)

    sent = current_app.send_task(TASK)
    request_id.end()
    with connection.execute_wrapper(note):
        task()
    assert noted == {"task": TASK, "task_id": sent.id, "request_id": "r-17"}


def test_a_task_sent_outside_a_request_carries_no_id(task, lines, db):
    current_app.send_task(TASK)
    task()
    line = next(line for line in lines() if line["message"] == "swept")
    assert "request_id" not in line
    assert line["task"] == TASK


def test_every_task_of_the_service_is_of_the_kind_that_notes_its_request():
    app.loader.import_default_modules()
    own = [task for name, task in app.tasks.items() if name.startswith("estimates.")]
    assert own
    assert all(isinstance(task, AtlasTask) for task in own)
