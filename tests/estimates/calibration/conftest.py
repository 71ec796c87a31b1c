"""The published sweeps of a tiny catalogue, and what was learnt of them: worked out once, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from estimates.calibration.crossvalidation import Scored, left_out_predictions
from estimates.calibration.learning import Learnt, content, learn
from estimates.calibration.report import report
from estimates.calibration.spread import LeftOut
from estimates.core.calibration import Calibration, calibration_from
from estimates.measured.peers import PeerFigure
from estimates.measured.questions import Names, read_names
from estimates.measured.runs import Run
from tests.core.machines import physics
from tests.estimates.calibration.published import measured, run, sweeps
from tests.estimates.conftest import TinyCatalogue, build


@dataclass
class World:
    """Everything that was learnt of the sweeps, one of which was speculative."""

    runs: list[Run]
    names: Names
    learnt: Learnt
    splits: dict[str, list[LeftOut]]
    file: dict[str, Any]
    calibration: Calibration
    scored: list[Scored]
    report: dict[str, Any]


@pytest.fixture(scope="session")
def once(django_db_setup: None, django_db_blocker: Any) -> World:
    """Made in a transaction that is taken back: no test finds rows of it."""
    with django_db_blocker.unblock(), transaction.atomic():
        build()
        runs = measured(sweeps())
        runs.append(
            run("flagged", concurrency=32.0, flags=frozenset({"speculative"}), metrics=(("tpot_ms", 5.0),))
        )
        names = read_names()
        learnt = learn(runs, physics())
        splits = learnt.splits()
        file = content(learnt, "2026-04-01", splits)
        calibration = calibration_from(file, "by test")
        assert calibration.residuals is not None
        scored = left_out_predictions(learnt, splits, calibration.residuals, physics())
        peers = [PeerFigure(one.run_id, "Another tool 1.0", "tpot_ms", 10.0) for one in runs[:5]]
        whole = report(learnt, scored, physics(), names, peers, "2026-04-01")
        transaction.set_rollback(True)
    return World(runs, names, learnt, splits, file, calibration, scored, whole)


@pytest.fixture
def world(once: World, db: None) -> World:
    """What was learnt; asks for the test's database, without which none is set up to learn from."""
    return once


@pytest.fixture
def tiny(db: None) -> TinyCatalogue:
    """The catalogue, in the database of the test."""
    return build()
