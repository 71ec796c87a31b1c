"""The ledger of schedules: slots opened once, caught up with, claimed by lease, tried again, run by hand."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.db.models.functions import Now

from estimates.models import CalculationRun
from estimates.schedules import kinds, ledger
from estimates.schedules.kinds import Done, Kind, Parameters, Refused
from estimates.schedules.models import Schedule, ScheduledRun
from estimates.schedules.tick import tick, work_on

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Effects:
    """A kind whose work is a row (a calculation run), which does first what a test tells it to."""

    def __init__(self) -> None:
        self.before: Any = lambda: None
        self.after: Any = lambda: None

    def prepare(self, run: Any, schedule: Any, parameters: Any, tell: Any) -> None:
        tell("prepared")
        self.before()

    def work(self, prepared: Any, schedule: Any, parameters: Any, tell: Any) -> Done:
        CalculationRun.objects.create(scope="stale", reason=schedule.slug)
        tell("worked")
        self.after()
        return Done("one row", {"rows": 1})


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Effects]:
    Schedule.objects.all().delete()
    one = Effects()
    monkeypatch.setitem(kinds.works(), "trial", Kind(Parameters, one))
    monkeypatch.setitem(kinds.PARAMETERS, "trial", Parameters)
    return one  # type: ignore[return-value]


def schedule(cron: str = "0 * * * *", since: str = "2026-01-01T00:00", **columns: Any) -> Schedule:
    given = {"slug": "s", "title": "S", "kind": "trial", "cron": cron, "counts_from": at(since), **columns}
    return Schedule.objects.create(**given)


def ledger_of(one: Schedule) -> list[tuple[str, str]]:
    rows = ScheduledRun.objects.filter(schedule=one).order_by("slot").values_list("slot", "state")
    return [(f"{slot:%d %H:%M}", state) for slot, state in rows]


def test_a_slot_runs_once_however_often_it_is_ticked(effects: Effects) -> None:
    one = schedule()
    assert tick(at("2026-01-01T00:59")).opened == 0
    for _ in range(3):
        tick(at("2026-01-01T01:00"))
    assert ledger_of(one) == [("01 01:00", "done")]
    assert CalculationRun.objects.count() == 1
    run = ScheduledRun.objects.get()
    assert (run.outcome, run.counts, run.attempts, run.leased_until) == ("one row", {"rows": 1}, 1, None)
    assert [line.split("  ")[1] for line in run.log.splitlines()] == ["prepared", "worked"]
    assert run.duration is not None


def test_the_latest_of_the_missed_slots_runs_and_covers_the_others(effects: Effects) -> None:
    one = schedule()
    assert tick(at("2026-01-01T04:30")).done == 1
    assert ledger_of(one) == [
        ("01 01:00", "covered"),
        ("01 02:00", "covered"),
        ("01 03:00", "covered"),
        ("01 04:00", "done"),
    ]
    run = ScheduledRun.objects.get(state="done")
    assert (run.missed, run.covers.count(), CalculationRun.objects.count()) == (3, 3, 1)


def test_each_of_the_missed_slots_runs_bounded_by_tick(
    effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "EACH_AT_ONCE", 3)
    one = schedule(catch_up="each")
    assert [tick(at("2026-01-01T05:00")).done for _ in range(3)] == [3, 2, 0]
    assert ledger_of(one) == [(f"01 0{hour}:00", "done") for hour in (1, 2, 3, 4, 5)]


def test_after_a_long_absence_rows_are_bounded_and_the_count_is_told(effects: Effects) -> None:
    schedule("* * * * *")
    tick(at("2026-01-02T00:00"))  # 24 x 60 = 1,440 slots
    run = ScheduledRun.objects.get(state="done")
    assert (run.missed, run.covers.count()) == (1_439, ledger.MOST_COVERED_ROWS)


def test_a_clock_that_ran_ahead_and_came_back_repeats_and_withholds_nothing(effects: Effects) -> None:
    one = schedule()
    tick(at("2026-01-01T01:00"))
    tick(at("2026-01-01T03:00"))  # ahead: 02:00 covered, 03:00 run
    tick(at("2026-01-01T01:30"))
    tick(at("2026-01-01T02:00"))
    tick(at("2026-01-01T03:00"))
    tick(at("2026-01-01T04:00"))
    assert ledger_of(one) == [
        ("01 01:00", "done"),
        ("01 02:00", "covered"),
        ("01 03:00", "done"),
        ("01 04:00", "done"),
    ]


def test_a_clock_a_year_ahead_does_not_silence_a_schedule_when_it_is_set_right(effects: Effects) -> None:
    one = schedule("0 0 * * *")
    tick(at("2030-01-01T00:00"))
    tick(at("2026-01-02T00:00"))
    assert ledger_of(one)[0] == ("02 00:00", "done")


def test_what_passed_before_the_expression_changed_or_while_not_enabled_is_not_caught_up(
    effects: Effects,
) -> None:
    one = schedule(enabled=False)
    assert tick(at("2026-01-01T09:00")).opened == 0
    Schedule.objects.filter(pk=one.pk).update(enabled=True)  # a bulk update: the database keeps count
    one.refresh_from_db()
    assert one.version == 2
    assert abs(one.counts_from - ledger.database_now()) < timedelta(minutes=5)
    before = one.counts_from
    Schedule.objects.filter(pk=one.pk).update(cron="30 * * * *")
    one.refresh_from_db()
    assert one.counts_from > before
    assert ledger.open_due() == 0


def test_a_broken_row_holds_up_no_other(effects: Effects) -> None:
    schedule("no cron", slug="broken")
    one = schedule(slug="sound")
    assert tick(at("2026-01-01T01:00")).done == 1
    assert ledger_of(one) == [("01 01:00", "done")]


def test_a_run_whose_worker_is_lost_is_taken_by_another_and_the_late_one_does_nothing(
    effects: Effects,
) -> None:
    schedule()
    ledger.open_due(at("2026-01-01T01:00"))
    late = ledger.claim()[0]
    assert ledger.claim() == []  # held by its lease
    ScheduledRun.objects.update(leased_until=Now() - timedelta(seconds=1))
    second = ledger.claim()[0]
    assert (second.run, second.attempt) == (late.run, 2)
    assert not work_on(late)
    assert CalculationRun.objects.count() == 0
    assert work_on(second)
    assert CalculationRun.objects.count() == 1
    assert not ledger.settle_failed(late, "late", final=True)
    assert ScheduledRun.objects.get().state == "done"


def test_a_worker_that_loses_its_run_between_preparation_and_work_leaves_no_effect(effects: Effects) -> None:
    schedule()
    ledger.open_due(at("2026-01-01T01:00"))
    claim = ledger.claim()[0]
    effects.before = lambda: ScheduledRun.objects.update(attempts=2)  # another has taken it
    assert not work_on(claim)
    assert CalculationRun.objects.count() == 0


def test_workers_lost_three_times_fail_the_run_with_the_reason(effects: Effects) -> None:
    schedule()
    ledger.open_due(at("2026-01-01T01:00"))
    ScheduledRun.objects.update(
        state="running", attempts=3, leased_until=Now() - timedelta(seconds=1), error="OSError: once"
    )
    assert ledger.claim() == []
    run = ScheduledRun.objects.get()
    assert (run.state, run.error) == ("failed", "its worker was lost 3 times; the last error: OSError: once")


def test_a_run_that_raises_leaves_no_effect_and_is_tried_again_later_three_times(effects: Effects) -> None:
    schedule()

    def fail() -> None:
        raise OSError("the disk is full")

    effects.after = fail
    for attempt in (1, 2, 3):
        assert tick(at("2026-01-01T01:00")).failed == 1
        run = ScheduledRun.objects.get()
        assert (run.attempts, run.error) == (attempt, "OSError: the disk is full")
        assert "in fail" in run.traceback
        assert "worked" in run.log
        assert CalculationRun.objects.count() == 0
        if attempt < 3:
            assert (run.state, ledger.claim()) == ("waiting", [])  # not before the pause is over
            assert run.not_before is not None
            pause = run.not_before - ledger.database_now()
            assert timedelta(seconds=20) < pause <= ledger.RETRY_AFTER * 2 ** (attempt - 1)
            ScheduledRun.objects.update(not_before=Now())
    assert run.state == "failed"
    assert tick(at("2026-01-01T01:00")).failed == 0


def test_what_is_refused_fails_at_once(effects: Effects) -> None:
    schedule()

    def refuse() -> None:
        raise Refused("there are no files", {"files": []})

    effects.before = refuse
    tick(at("2026-01-01T01:00"))
    run = ScheduledRun.objects.get()
    assert (run.state, run.attempts, run.outcome, run.report) == (
        "failed",
        1,
        "there are no files",
        {"files": []},
    )


def test_parameters_that_became_wrong_fail_the_run_with_what_is_accepted(effects: Effects) -> None:
    schedule(kind="recalculation", parameters={"scope": "model:gone"})
    tick(at("2026-01-01T01:00"))
    run = ScheduledRun.objects.get()
    assert run.state == "failed"
    assert run.error.startswith("parameters: scope: 'gone' is not accepted; accepted: the slug of a language")


def test_the_log_is_bounded(effects: Effects) -> None:
    schedule()
    ledger.open_due(at("2026-01-01T01:00"))
    claim = ledger.claim()[0]
    for _ in range(30):
        ledger.append_log(claim, "x" * 1_000)
    assert len(ScheduledRun.objects.get().log) == ledger.LONGEST_LOG


def test_run_now_is_a_row_of_its_own_and_a_second_request_is_answered_by_the_one_that_waits(
    effects: Effects,
) -> None:
    planner = User.objects.create_user("planner")
    one = schedule(enabled=False)
    first = ledger.run_now(one, planner, hint=False)
    assert ledger.run_now(one, hint=False) == first
    assert tick().done == 1
    first.refresh_from_db()
    assert (first.state, first.slot, first.asked_by) == ("done", None, planner)
    assert ledger.run_now(one, hint=False) != first


def test_what_cannot_run_is_refused_field_by_field() -> None:
    wrong = Schedule(
        slug="w", title="W", kind="pruning", cron="61 * * * *", time_zone="Mars", parameters={"days": 3}
    )
    with pytest.raises(ValidationError) as caught:
        wrong.full_clean()
    faults = caught.value.message_dict
    assert set(faults) == {"cron", "time_zone", "parameters"}
    assert "see its minute" in faults["cron"][0]
    assert faults["parameters"][0].startswith("days: 3 is not accepted; accepted: no such parameter; a JSON")
    assert "movement_days" in faults["parameters"][0]


@pytest.mark.parametrize(
    ("kind", "parameters", "says"),
    [
        ("recalculation", {}, "scope: '' is not accepted; accepted: a value (required)"),
        ("recalculation", {"scope": "everything"}, "accepted: all, stale, model:SLUG or accelerator:SLUG"),
        ("recalculation", ["all"], "accepted: a JSON object of scope"),
        (
            "pruning",
            {"ledger_days": 0},
            "ledger_days: 0 is not accepted; accepted: greater than or equal to 1",
        ),
        ("pruning", {"ledger_days": "9"}, "ledger_days: '9' is not accepted; accepted: a valid integer"),
        ("freshness_report", {"stale_after_days": 1.5}, "stale_after_days: 1.5 is not accepted"),
        ("price_import", {}, "accepted: either path, or url with file"),
        ("price_import", {"path": "."}, "accepted: no path while ATLAS_PRICE_IMPORT_DIR is not set"),
        ("sleep", {}, "accepted: recalculation, price_import, freshness_report, pruning"),
    ],
)
def test_parameters_are_refused_with_what_is_accepted(kind: str, parameters: Any, says: str) -> None:
    wrong = Schedule(slug="w", title="W", kind=kind, cron="0 0 * * *", parameters=parameters)
    with pytest.raises(ValidationError) as caught:
        wrong.full_clean()
    assert says in " ".join(caught.value.messages)


def test_the_schedules_that_come_with_the_product_are_valid_and_an_editors_change_stays() -> None:
    """The nightly jobs keep the times (UTC) that they had before there were schedules."""
    install = import_module("estimates.migrations.0009_schedule").install_defaults
    Schedule.objects.all().delete()
    install(apps, None)
    found = {one.slug: one for one in Schedule.objects.all()}
    nightly = found["nightly-recalculation"]
    assert (nightly.cron, nightly.parameters) == ("17 3 * * *", {"scope": "all"})
    assert found["nightly-pruning"].cron == "47 2 * * *"
    assert not found["daily-price-import"].enabled
    for one in found.values():
        if one.kind != "price_import":
            one.full_clean()
    Schedule.objects.filter(pk=nightly.pk).update(cron="0 1 * * *")
    install(apps, None)
    assert Schedule.objects.get(slug="nightly-recalculation").cron == "0 1 * * *"
    assert Schedule.objects.count() == len(found)


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_open_and_run_a_slot_once(effects: Effects) -> None:
    """Twelve slots, two threads with connections of their own that start together."""
    schedule(catch_up="each")
    gate = threading.Barrier(2)

    def beat() -> None:
        try:
            gate.wait()
            tick(at("2026-01-01T12:00"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(at("2026-01-01T12:00"))
    assert ScheduledRun.objects.filter(state="done", attempts=1).count() == ScheduledRun.objects.count() == 12
    assert CalculationRun.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_being_worked_on_is_not_taken_even_when_its_lease_has_lapsed(effects: Effects) -> None:
    """The transaction of the work holds the row; when its backend is killed nothing of it stays."""
    schedule()
    ledger.open_due(at("2026-01-01T01:00"))
    claim = ledger.claim()[0]
    taken: list[Any] = []

    def other() -> None:
        try:
            ScheduledRun.objects.filter(pk=-1).update(attempts=0)
            taken.append(ledger.claim())
        finally:
            connections.close_all()

    def meanwhile() -> None:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        transaction.set_rollback(True)
        raise OSError("the connection is lost")

    ScheduledRun.objects.update(leased_until=Now() - timedelta(seconds=1))
    effects.after = meanwhile
    effects.before = lambda: ScheduledRun.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert not work_on(claim)
    assert taken == [[]]
    assert CalculationRun.objects.count() == 0
