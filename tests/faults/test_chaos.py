"""A short trial of the service with kills; `make chaos` is the long one."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.plan import VICTIMS, WAYS, make_plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_short_trial_loses_nothing_and_leaves_nothing_stale() -> None:
    """One seed of 40 edits on servers of its own: a kill of each kind, then rest, then the accounts."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.chaos", "--seeds=1", "--first-seed=1", "--edits=40", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode in (0, 1), done.stderr[-3000:]
    found = json.loads(done.stdout)
    amiss = {
        name: found["by_seed"][0][name]
        for name in ("lost", "stale", "wrong", "history", "doubled", "stuck", "faults")
    }
    assert not any(amiss.values()), f"{amiss} {done.stderr[-3000:]}"
    assert done.returncode == 0
    assert found["acknowledged"] + found["unknown"] + found["not_made"] == 40
    assert found["acknowledged"] >= 20
    assert sum(found["kills"].values()) + sum(found["kills_missed"].values()) == len(VICTIMS)
    assert (
        sum(found["kills"].values()) >= len(VICTIMS) - 2
    )  # a victim may be down already when its turn comes
    assert 200 <= found["estimate_rows"] <= 350
    assert found["unconverged_versions"] == 0
    assert found["recalculations"] > 0


def test_a_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert make_plan(7, 100) == make_plan(7, 100)
    assert make_plan(7, 100) != make_plan(8, 100)


def test_a_plan_goes_every_way_kills_every_kind_and_writes_no_value_twice() -> None:
    plan = make_plan(1, 500)
    assert {edit.way for edit in plan.edits} == set(WAYS)
    kills = Counter(kill.victim for kill in plan.kills)
    for victim, (least, most) in VICTIMS.items():
        assert least <= kills[victim] <= most
    values = [
        (edit.row, target, edit.column, edit.value)
        for edit in plan.edits
        for target in edit.targets
        if edit.row not in {"offer", "run"}
    ]
    assert len(values) == len(set(values))
