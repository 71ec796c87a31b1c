"""Answers to errors that no view handled: one line as problem details, the traceback in the log only."""

import sys

from django.http import HttpRequest, HttpResponse

from config.metrics.requests import count_exception
from config.middleware import unavailable
from config.problems import problem


def handler500(request: HttpRequest) -> HttpResponse:
    """503 where an inner middleware found the database gone, else 500 with the request id to quote."""
    exception = sys.exc_info()[1]
    response = unavailable(exception) if exception is not None else None
    if response is None and exception is not None:
        count_exception(exception)
    return response or problem(500, "internal-error", "An error of the service; quote the request id.")
