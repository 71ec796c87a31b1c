"""What all tests share: a queue of their own, so that no worker of a running service takes a test's tasks.

The private servers start by themselves at the first connection; `TEST_DATABASE_NAME` names the test database.
"""

import os
from pathlib import Path

import pytest

from config.celery import app

CALIBRATION = Path(__file__).parent / "estimates" / "calibration"


@pytest.fixture(scope="session", autouse=True)
def queue_of_the_tests() -> str:
    """Route every task of the run to a queue that only a test's own worker reads."""
    name = f"atlas.tests.{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    app.conf.task_default_queue = name
    return name


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service reads a small report of a calibration, whose scores are arithmetic on one line."""
    from estimates.accuracy import report

    monkeypatch.setattr(report, "DIRECTORY", CALIBRATION)
    return CALIBRATION


@pytest.fixture(autouse=True)
def no_backlog_of_another_test() -> None:
    """Probes and metrics keep their last reading for a moment; a test begins without one."""
    from estimates import pulse

    pulse.forget_backlog()
