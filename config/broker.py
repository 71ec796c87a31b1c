"""Whether the broker answers and which workers do; for probes and `manage.py status` alone."""

from kombu.exceptions import OperationalError

from config.celery import app


def broker_answers() -> bool:
    """Whether a connection to the broker can be made at once, without retries."""
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=0, timeout=2)
    except (OperationalError, OSError):
        return False
    return True


def answering_workers(wait_seconds: float = 1.0) -> list[str]:
    """Names of the workers that answer a ping within the wait; none where the broker is down."""
    try:
        replies = app.control.ping(timeout=wait_seconds)
    except (OperationalError, OSError):
        return []
    return sorted(name for reply in replies or [] for name in reply)
