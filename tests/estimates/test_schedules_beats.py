"""Each slot once: two beats with connections of their own, clocks that jump, both changes of the clocks."""

import pytest

from estimates.benchmarks.schedule_slots import try_slots
from estimates.schedules.models import Schedule

pytestmark = pytest.mark.django_db(transaction=True)


def test_ten_thousand_slots_run_once_each_with_two_beats_jumps_and_changes_of_the_clocks() -> None:
    Schedule.objects.all().delete()
    tried = try_slots(10_000, beats=2, seed=7)
    assert tried.slots >= 10_000
    assert (tried.least_runs_per_slot, tried.most_runs_per_slot, tried.unexpected_runs) == (1, 1, 0)
    assert tried.runs == tried.slots
    assert tried.latest_unaccounted == 0
    assert tried.latest_runs + tried.latest_covered == tried.latest_slots
    assert tried.latest_covered > 0
    assert tried.jumps > 0
