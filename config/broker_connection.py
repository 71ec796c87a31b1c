"""A connection to the broker that survives losing the broker while messages are unacknowledged."""

import logging
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection

log = logging.getLogger(__name__)


class SteadyConnection(Connection):
    """kombu's connection, whose clean-up after a loss ends no worker.

    Closing a channel gives unacknowledged messages back to the broker. Where that is gone kombu 5.7 stumbles
    over its own closed transport with an AttributeError, which Celery takes for a fault of the worker. The
    broker delivers those messages again by itself.
    """

    def maybe_close_channel(self, channel: Any) -> None:
        try:
            super().maybe_close_channel(channel)
        except AttributeError as error:
            log.warning("a channel of a lost broker connection was left as it was: %s", error)


class SteadyAMQP(AMQP):
    """Celery's messaging over steady connections."""

    Connection = SteadyConnection
