"""Whether the broker answers, how many tasks wait, which workers answer: for probes, metrics and status."""

from typing import Final

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.celery import app

#: Nobody who looks at the broker waits longer than this for each answer.
LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}


def broker_answers() -> bool:
    """Whether a connection to the broker can be made at once, without retries."""
    return queue_depth() is not None


def queue_depth() -> int | None:
    """Tasks that wait in the queue of this database; None where the broker does not answer."""
    options = {"socket_connect_timeout": LOOK_SECONDS, "socket_timeout": LOOK_SECONDS, **AT_ONCE}
    try:
        with app.connection_for_read(transport_options=options) as connection:
            declared = connection.default_channel.queue_declare(queue=app.conf.task_default_queue)
            return int(declared.message_count)
    except (OperationalError, RedisError, OSError):
        return None


def answering_workers(wait_seconds: float = 1.0) -> list[str]:
    """Names of the workers that answer a ping within the wait; none where the broker is down."""
    try:
        replies = app.control.ping(timeout=wait_seconds)
    except (OperationalError, OSError):
        return []
    return sorted(name for reply in replies or [] for name in reply)
