"""Errors of set-up on the command line: one clear line and exit code 1 in place of a traceback."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def one_line_errors(arguments: Sequence[str]) -> Iterator[None]:
    """Turn a wrong setting or an unreachable server into one line; `--traceback` shows the whole."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db.utils import OperationalError
    from kombu.exceptions import OperationalError as BrokerError

    from config.embedded import ServiceError

    try:
        yield
    except (ImproperlyConfigured, OperationalError, BrokerError, ServiceError) as error:
        if "--traceback" in arguments:
            raise
        print(describe(error), file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def describe(error: Exception) -> str:
    """What is wrong and what to do about it, on one line."""
    from django.db.utils import OperationalError
    from kombu.exceptions import OperationalError as BrokerError

    reason = " ".join(str(error).split())
    if isinstance(error, OperationalError):
        return f"Database unavailable: {reason} (DATABASE_URL says where it is; unset, a private one is used)"
    if isinstance(error, BrokerError):
        return f"Broker unavailable: {reason} (BROKER_URL says where it is; unset, a private one is used)"
    return f"Error: {reason}"
