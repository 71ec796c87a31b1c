"""The request id: taken from `X-Request-ID` or made here, the same in answer, logs and history."""

import logging
import re
import uuid
from contextvars import ContextVar

NONE = "-"
ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_request_id: ContextVar[str] = ContextVar("request_id", default=NONE)


def current_request_id() -> str:
    """The id of the request being answered, or a dash outside one."""
    return _request_id.get()


def begin(offered: str | None) -> str:
    """Adopt the client's id where it is harmless text of at most 64 characters, else make one; returns it."""
    value = offered if offered and ACCEPTED.fullmatch(offered) else uuid.uuid4().hex
    _request_id.set(value)
    return value


def end() -> None:
    _request_id.set(NONE)


class RequestIdFilter(logging.Filter):
    """Gives each log record the id of the request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True
