"""What Postgres ended to resolve a deadlock is carried out again: nothing of it had happened."""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import Final

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

ATTEMPTS: Final = 4
#: SQLSTATE of a deadlock and of a serialisation failure; the whole transaction has been rolled back.
ENDED_BY_POSTGRES: Final = ("40P01", "40001")


def again_after_deadlock[**P, R](carry_out: Callable[P, R]) -> Callable[P, R]:
    """Repeat a function that is one transaction, `ATTEMPTS` times at most, with a short pause.

    Two edits may want the same rows in another order (one of an accelerator, one that derives all offers
    anew); Postgres ends one of them, and whoever sent it should not hear of it. Inside a transaction of the
    caller nothing is repeated: that one is lost as a whole. Raises the last OperationalError.
    """

    @functools.wraps(carry_out)
    def repeated(*arguments: P.args, **named: P.kwargs) -> R:
        if connection.in_atomic_block:
            return carry_out(*arguments, **named)
        for attempt in range(1, ATTEMPTS):
            try:
                return carry_out(*arguments, **named)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in ENDED_BY_POSTGRES:
                    raise
                log.warning("attempt %d ended in a deadlock and is repeated", attempt)
                time.sleep(random.uniform(0.01, 0.1) * attempt)
        return carry_out(*arguments, **named)

    return repeated
