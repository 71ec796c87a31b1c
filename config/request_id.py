"""The request id: taken from `X-Request-ID` or made here, the same in answer, logs, history and tasks.

A task that a request sends carries the id in its message (`config/celery.py`), and passes it on to the tasks
that it sends itself.
"""

from __future__ import annotations

import logging
import re
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from celery import current_task

if TYPE_CHECKING:
    from django.http import HttpRequest

NONE = "-"
ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")
TASK_HEADER = "atlas_request_id"
_request_id: ContextVar[str] = ContextVar("request_id", default=NONE)
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def current_request_id() -> str:
    """The id of the request being answered, of the one that sent the task being worked on, or a dash."""
    value = _request_id.get()
    return value if value != NONE else _id_in(task_request())


def begin(offered: str | None, request: HttpRequest | None = None) -> str:
    """Adopt the client's id where it is harmless text of at most 64 characters, else make one; returns it."""
    value = offered if offered and ACCEPTED.fullmatch(offered) else uuid.uuid4().hex
    _request_id.set(value)
    _request.set(request)
    return value


def end() -> None:
    _request_id.set(NONE)
    _request.set(None)


def task_request() -> Any:
    """What Celery knows of the task being worked on in this thread: its id, its message; None outside one."""
    request = getattr(current_task, "request", None) if current_task else None
    return request if request is not None and request.id else None


def _id_in(request: Any) -> str:
    offered = getattr(request, TASK_HEADER, None)
    return offered if isinstance(offered, str) and ACCEPTED.fullmatch(offered) else NONE


def current_client() -> str:
    """Who asks: `token PREFIX` or `user NAME`, as far as the request has found out; a dash otherwise.

    Looks at what authentication has left behind and never asks the database.
    """
    request = _request.get()
    if request is None:
        return NONE
    if prefix := getattr(request, "access_token_prefix", None):
        return f"token {prefix}"
    user = request.__dict__.get("_cached_user")
    return f"user {user.get_username()}" if user is not None and user.is_authenticated else NONE


class RequestIdFilter(logging.Filter):
    """Gives each log record the request it belongs to, the client, and the task."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = current_request_id()
        if not hasattr(record, "client"):
            record.client = current_client()
        if (request := task_request()) is not None:
            record.task, record.task_id = current_task.name, request.id
        return True
