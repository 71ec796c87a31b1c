"""What all tests share: a queue of their own, so that no worker of a running service takes a test's tasks.

The private servers start by themselves at the first connection; `TEST_DATABASE_NAME` names the test database.
"""

import os

import pytest

from config.celery import app


@pytest.fixture(scope="session", autouse=True)
def queue_of_the_tests() -> str:
    """Route every task of the run to a queue that only a test's own worker reads."""
    name = f"atlas.tests.{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    app.conf.task_default_queue = name
    return name
