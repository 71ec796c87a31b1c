"""Convergence: the urgent comes first, claims are leases, what fails or kills is parked, nothing is lost."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Accelerator, LanguageModel, PeakRate, Workload
from estimates import recalculation, runs, store, sweeper, tasks
from estimates.convergence import leases, movements, planning
from estimates.convergence.models import Movement, WorkTally
from estimates.convergence.tally import count_chunk
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import Calculation, CalculationState, Estimate, RunState
from estimates.staleness import (
    create_missing_calculations,
    is_stale,
    oldest_stale_seconds,
    parked_calculations,
    stale_calculations,
    try_again,
)
from tests.estimates.conftest import TinyCatalogue
from tests.estimates.test_store import batch, calculation

EDITS = itertools.count(1)


@pytest.fixture
def calculated(tiny: TinyCatalogue) -> TinyCatalogue:
    sweeper.sweep()
    assert not stale_calculations().exists()
    return tiny


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are tried again at once."""
    monkeypatch.setattr(store, "PAUSE_SECONDS", 0.0)


def cells_of(accelerator: Accelerator) -> set[int]:
    return set(Calculation.objects.filter(accelerator=accelerator).values_list("pk", flat=True))


def lapse(keys: set[int]) -> None:
    """The workers that hold these have been silent for longer than their lease."""
    Calculation.objects.filter(pk__in=keys).update(claimed_until=Now() - timedelta(seconds=1))


# ---- What is stale -------------------------------------------------------------------------------------


def test_the_indexed_query_and_the_condition_on_a_row_name_the_same(calculated: TinyCatalogue) -> None:
    """Each reason to be stale, one calculation each: accelerator, model, workloads, method, failed, never."""
    cells = list(Calculation.objects.order_by("pk"))
    changes: tuple[dict[str, Any], ...] = (
        {"accelerator_version": 0},
        {"accelerator_version": 99},
        {"model_version": 0},
        {"model_version": 99},
        {"workloads_digest": ""},
        {"workloads_digest": "zzzz"},
        {"method_version": "zzzz"},
        {"state": CalculationState.FAILED, "attempts": 1},
        {"state": CalculationState.FAILED, "attempts": 3},
    )
    for cell, change in zip(cells, changes, strict=True):
        Calculation.objects.filter(pk=cell.pk).update(**change)
    by_index = set(stale_calculations().values_list("pk", flat=True))
    assert by_index == set(Calculation.objects.filter(is_stale()).values_list("pk", flat=True))
    assert by_index == {cell.pk for cell in cells[:8]}
    assert [cell.pk for cell in parked_calculations()] == [cells[8].pk]


def test_what_is_stale_is_found_by_index_alone(tiny: TinyCatalogue) -> None:
    """300 models on 60 accelerators, all up to date: the plan reads no table of calculations through."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalog_accelerator (SELECT (a).* FROM (SELECT jsonb_populate_record(
                c, jsonb_build_object('id', 100000 + n, 'slug', 'made-up-' || n)) AS a
                FROM catalog_accelerator c, generate_series(1, 60) n WHERE c.slug = 'nvidia-l40s') made);
            INSERT INTO catalog_languagemodel (SELECT (m).* FROM (SELECT jsonb_populate_record(
                c, jsonb_build_object('id', 100000 + n, 'slug', 'made-up-' || n, 'hf_id', 'a/b-' || n)) AS m
                FROM catalog_languagemodel c, generate_series(1, 300) n
                WHERE c.slug = 'llama-3.1-8b-instruct') made);
            """
        )
        create_missing_calculations()
        cursor.execute(
            """
            UPDATE estimates_calculation c
            SET state = 'done', model_version = m.version, accelerator_version = a.version,
                method_version = %s, workloads_digest = %s
            FROM catalog_languagemodel m, catalog_accelerator a
            WHERE m.id = c.language_model_id AND a.id = c.accelerator_id;
            """,
            [method_version(), read_workloads().digest],
        )
        cursor.execute("ANALYZE estimates_calculation")
    assert stale_calculations().count() == 0
    plan = stale_calculations().order_by().explain()
    assert "Seq Scan on estimates_calculation" not in plan
    Accelerator.objects.filter(slug="made-up-7").update(memory_gb=49)
    assert stale_calculations().count() == 303


def test_the_age_of_a_new_method_counts_from_when_it_came_into_force(calculated: TinyCatalogue) -> None:
    Calculation.objects.update(
        method_version="an earlier one", calculated_at=timezone.now() - timedelta(days=40)
    )
    assert 0 < oldest_stale_seconds() < 24 * 3600


def test_no_write_takes_a_version_back(calculated: TinyCatalogue) -> None:
    """A row in hand is saved whole after another write, or raw SQL says so: the version stays."""
    in_hand = Accelerator.objects.get(pk=calculated.h100.pk)
    PeakRate.objects.filter(accelerator=calculated.h100, number_format="fp8").update(tera_ops=2000)
    raised = Accelerator.objects.get(pk=calculated.h100.pk)
    assert raised.version == in_hand.version + 1
    in_hand.save()
    Accelerator.objects.filter(pk=calculated.h100.pk).update(version=1)
    after = Accelerator.objects.get(pk=calculated.h100.pk)
    assert (after.version, after.changed_at) == (raised.version, raised.changed_at)
    in_hand.memory_gb = 96
    in_hand.save()
    assert Accelerator.objects.get(pk=calculated.h100.pk).version == raised.version + 1


# ---- Leases --------------------------------------------------------------------------------------------


def test_what_a_worker_holds_no_other_takes_until_its_lease_lapses(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    held = leases.take(cells_of(calculated.h100), read_workloads().digest)
    assert held is not None
    assert len(held.keys) == 3
    assert leases.take(held.keys, read_workloads().digest) is None
    assert sweeper.sweep().calculations == 0
    lapse(set(held.keys))
    assert sweeper.sweep().calculations == 3
    assert not stale_calculations().exists()
    assert set(Calculation.objects.values_list("losses", "claimed_by", "claimed_until")) == {(0, "", None)}


def test_a_claim_that_is_given_back_counts_no_loss(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    held = leases.take(cells_of(calculated.h100), read_workloads().digest)
    assert held is not None
    held.release()
    again = leases.take(held.keys, read_workloads().digest)
    assert again is not None
    assert {cell.losses for cell in Calculation.objects.filter(pk__in=again.keys)} == {0}


def test_a_worker_at_work_renews_its_lease(
    calculated: TinyCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    held = leases.take(cells_of(calculated.h100), read_workloads().digest)
    assert held is not None
    lapse(set(held.keys))
    held.renew()  # too early: not a third of the lease has gone
    assert Calculation.objects.filter(claimed_until__gt=Now()).count() == 0
    monkeypatch.setattr(leases, "lease_time", lambda: timedelta(seconds=0))
    held.renew()
    assert Calculation.objects.filter(
        pk__in=held.keys, claimed_until__gt=Now() - timedelta(seconds=1)
    ).exists()


def test_a_late_worker_whose_lease_was_taken_over_harms_nothing(calculated: TinyCatalogue) -> None:
    """It read version 2, was silent, version 3 was made by another: its result is refused by the guard."""
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    late = leases.take(cells_of(calculated.h100), read_workloads().digest)
    assert late is not None
    results = recalculation.make(late.calculations, worker=late.worker)
    lapse(set(late.keys))
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4800)
    sweeper.sweep()
    newest = list(Estimate.objects.order_by("pk").values_list("pk", "tpot_ms"))
    written = store.write(results)
    assert (written.calculations, written.skipped) == (0, 3)
    assert list(Estimate.objects.order_by("pk").values_list("pk", "tpot_ms")) == newest
    assert not stale_calculations().exists()


def test_what_lost_its_worker_is_taken_in_smaller_pieces_and_parked_at_last(
    calculated: TinyCatalogue,
) -> None:
    """First loss: model by model. From the second on each alone. At the fifth it is parked, told in words."""
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    digest = read_workloads().digest
    cells = cells_of(calculated.h100)
    assert [set(chunk) for chunk in planning.chunks_of_edits(Q(), ())] == [cells]
    for loss in range(1, 5):
        assert leases.take(cells, digest) is not None
        lapse(cells)
        held = leases.take(cells, digest)  # counts the loss
        assert held is not None
        Calculation.objects.filter(pk__in=cells).update(claimed_until=None, claimed_by="")
        assert set(Calculation.objects.filter(pk__in=cells).values_list("losses", flat=True)) == {loss}
        assert planning.chunks_of_edits(Q(), ()) == []
        assert [len(chunk) for chunk in planning.most_urgent_chunks(Q(), ())] == [1]
    assert leases.take(cells, digest) is not None
    lapse(cells)
    assert leases.take(cells, digest) is None
    assert set(parked_calculations().values_list("pk", flat=True)) == cells
    assert "WorkerLost: 5 workers ended" in parked_calculations()[0].error
    assert not stale_calculations().exists()
    assert try_again(parked_calculations()) == 3
    assert sweeper.sweep().calculations == 3
    assert not parked_calculations().exists()


# ---- Failures ------------------------------------------------------------------------------------------


def test_a_failure_keeps_its_traceback_and_holds_up_nothing_else(
    tiny: TinyCatalogue, monkeypatch: pytest.MonkeyPatch, no_pause: None
) -> None:
    good = recalculation.estimate_rows

    def poisonous(asked, workloads, collected):  # type: ignore[no-untyped-def]
        pairs = {(model.pk, accelerator.pk) for model, cells in asked for _, accelerator in cells}
        if (tiny.llama_8b.pk, tiny.l40s.pk) in pairs:
            raise ZeroDivisionError("a poisonous pair")
        return good(asked, workloads, collected)

    monkeypatch.setattr(recalculation, "estimate_rows", poisonous)
    for _ in range(3):
        sweeper.sweep()
    (parked,) = parked_calculations()
    assert (parked.language_model_id, parked.accelerator_id) == (tiny.llama_8b.pk, tiny.l40s.pk)
    assert (parked.attempts, parked.error) == (3, "ZeroDivisionError: a poisonous pair")
    assert "in poisonous" in parked.traceback
    assert Calculation.objects.filter(state=CalculationState.DONE).count() == 8
    assert not stale_calculations().exists()
    monkeypatch.setattr(recalculation, "estimate_rows", good)
    assert try_again(Calculation.objects.all()) == 1
    sweeper.sweep()
    assert not Calculation.objects.exclude(state=CalculationState.DONE).exists()
    assert Calculation.objects.get(pk=parked.pk).traceback == ""


def test_a_failure_is_tried_again_after_a_pause_that_grows_and_that_an_edit_ends(tiny: TinyCatalogue) -> None:
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).update(architecture={"role": "decoder"})
    failed = Calculation.objects.filter(language_model=tiny.llama_8b, accelerator=tiny.h100)
    for attempt, pause in ((1, 5.0), (2, 20.0)):
        sweeper.sweep()
        cell = failed.get()
        assert cell.attempts == attempt
        assert cell.claimed_until is not None
        assert cell.calculated_at is not None
        waits = (cell.claimed_until - cell.calculated_at).total_seconds()
        assert waits == pytest.approx(pause, abs=0.5)
        assert sweeper.sweep().calculations == 0
        failed.update(claimed_until=Now())
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).update(architecture=tiny.llama_8b.architecture)
    sweeper.sweep()
    assert failed.get().state == CalculationState.DONE


def test_results_that_the_database_refuses_fail_alone(
    calculated: TinyCatalogue, monkeypatch: pytest.MonkeyPatch, no_pause: None
) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    refused = Calculation.objects.get(language_model=calculated.llama_8b, accelerator=calculated.h100)
    write = store.write

    def refusing(results: store.Batch) -> store.Written:
        if any(made.pk == refused.pk and not made.error for made in results.made):
            raise DataError("value out of range")
        return write(results)

    monkeypatch.setattr(store, "write", refusing)
    for _ in range(3):
        sweeper.sweep()
    assert [cell.pk for cell in parked_calculations()] == [refused.pk]
    assert parked_calculations()[0].error == "DataError: value out of range"
    assert not stale_calculations().exists()


def test_where_the_database_fails_the_claim_is_given_back_and_the_task_is_sent_again(
    calculated: TinyCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)

    write, failures = store.write, iter(range(2))

    def gone(results: store.Batch) -> store.Written:
        if next(failures, None) is not None:
            raise OperationalError("server closed the connection unexpectedly")
        return write(results)

    monkeypatch.setattr(store, "write", gone)
    with pytest.raises(OperationalError):
        sweeper.sweep()
    assert not Calculation.objects.exclude(claimed_until=None).exists()
    assert tasks.sweep.apply().successful()  # fails once more, and is sent again
    assert not stale_calculations().exists()
    assert WorkTally.objects.aggregate(retries=Sum("retries"))["retries"] == 1


# ---- Order ---------------------------------------------------------------------------------------------


def test_an_edit_is_made_before_a_run_and_a_run_before_what_a_new_method_made_stale(
    calculated: TinyCatalogue,
) -> None:
    Calculation.objects.update(method_version="an earlier one")
    run = runs.start_recalculation("model:llama-3.1-70b-instruct", hint=False)
    Accelerator.objects.filter(pk=calculated.mystery.pk).update(memory_gb=99)
    order: list[set[int]] = []
    seen: set[int] = set()
    while chunks := planning.chunks_of_edits(Q(), seen) or planning.most_urgent_chunks(Q(), seen):
        order.append({key for chunk in chunks for key in chunk})
        seen |= order[-1]
    of_the_run = set(run.pending.values_list("pk", flat=True))
    assert order[0] == cells_of(calculated.mystery)
    assert order[1] == of_the_run - order[0]
    assert order[2] == set(Calculation.objects.values_list("pk", flat=True)) - order[0] - order[1]


def test_after_a_change_of_the_method_the_old_and_much_used_come_first() -> None:
    """Its place by use and its place by age are added; where the sums are equal, the older one leads."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = {1: day + timedelta(days=3), 2: day + timedelta(days=2), 3: day + timedelta(days=1)}
    assert planning.oldest_and_most_used(made, [1, 2, 3]) == [3, 2, 1]  # equal sums: the oldest
    made[1] = day
    assert planning.oldest_and_most_used(made, [1, 2, 3]) == [1, 3, 2]  # 1: 0 + 0, 3: 2 + 1, 2: 1 + 2
    assert planning.oldest_and_most_used({**made, 4: None}, [1, 2, 3])[0] == 1  # 1: 0 + 1, 4: 3 + 0
    same_age = dict.fromkeys((9, 1, 2), day)
    assert planning.oldest_and_most_used(same_age, [1, 2]) == [1, 2, 9]


def test_old_answers_stay_and_say_which_method_made_them(calculated: TinyCatalogue) -> None:
    before = set(Estimate.objects.values_list("pk", "tpot_ms"))
    Calculation.objects.update(method_version="an earlier one")
    assert stale_calculations().count() == 9
    assert set(Estimate.objects.values_list("pk", "tpot_ms")) == before
    assert set(Estimate.objects.values_list("calculation__method_version", flat=True)) == {"an earlier one"}


def test_a_run_that_asks_again_while_a_worker_is_at_it_still_waits(calculated: TinyCatalogue) -> None:
    first = runs.start_recalculation("accelerator:nvidia-l40s", hint=False)
    held = leases.take(cells_of(calculated.l40s), read_workloads().digest)
    assert held is not None
    second = runs.start_recalculation("accelerator:nvidia-l40s", hint=False)
    store.write(recalculation.make(held.calculations, worker=held.worker))
    assert first.pending.count() == 0
    assert second.pending.count() == 3
    sweeper.sweep()
    second.refresh_from_db()
    assert second.state == RunState.DONE


# ---- The write guard -----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_order_of_deliveries_lets_a_result_go_back_in_version(
    tiny: TinyCatalogue, data: st.DataObject
) -> None:
    """Edits of model, accelerator and workloads make results; each is delivered up to three times, in any

    order, also in between the edits. What is stored never falls back in any version, and after all deliveries
    it is the newest result, with the newest result's estimates and nothing else.
    """
    Calculation.objects.all().delete()
    cell = calculation(tiny)
    waiting: list[tuple[int, int, float]] = []
    stored = (0, 0)
    tpot = 1.0

    def deliver(result: tuple[int, int, float]) -> None:
        nonlocal stored
        model_version, accelerator_version, value = result
        store.write(
            batch(
                tiny,
                cell,
                model_version=model_version,
                accelerator_version=accelerator_version,
                tpot_ms=value,
            )
        )
        cell.refresh_from_db()
        now = (cell.model_version, cell.accelerator_version)
        assert now[0] >= stored[0]
        assert now[1] >= stored[1]
        stored = now

    edits = data.draw(st.lists(st.sampled_from(("model", "accelerator")), min_size=1, max_size=6))
    for edit in edits:
        tpot += 1.0
        row = tiny.llama_8b if edit == "model" else tiny.h100
        type(row)._default_manager.filter(pk=row.pk).update(name=f"edit {next(EDITS)}")
        versions = (
            LanguageModel.objects.values_list("version", flat=True).get(pk=tiny.llama_8b.pk),
            Accelerator.objects.values_list("version", flat=True).get(pk=tiny.h100.pk),
        )
        newest = (*versions, tpot)
        for _ in range(data.draw(st.integers(1, 3))):
            waiting.append(newest)
        while len(waiting) > 0 and data.draw(st.booleans()):
            deliver(waiting.pop(data.draw(st.integers(0, len(waiting) - 1))))
    while waiting:
        deliver(waiting.pop(data.draw(st.integers(0, len(waiting) - 1))))
    assert stored == newest[:2]
    assert set(Estimate.objects.values_list("tpot_ms", flat=True)) == {newest[2]}


# ---- What moved, and the tally -------------------------------------------------------------------------


def test_what_a_recalculation_moved_is_recorded_from_version_to_version(calculated: TinyCatalogue) -> None:
    """4,020 GB/s in place of 3,350: tokens come faster, by at most 4,020 / 3,350 = 1.2."""
    assert not Movement.objects.exists()  # the first calculation moves nothing
    before = calculated.h100.version
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    sweeper.sweep()
    moved = Movement.objects.get(language_model_id=calculated.llama_8b.pk)
    cell = Calculation.objects.get(pk=moved.calculation_id)
    version = Accelerator.objects.values_list("version", flat=True).get(pk=calculated.h100.pk)
    assert (moved.accelerator_id, moved.to_accelerator_version) == (calculated.h100.pk, version)
    assert before <= moved.from_accelerator_version == version - 1
    assert (moved.from_model_version, moved.to_model_version) == (cell.model_version, cell.model_version)
    assert (moved.rows, moved.added, moved.removed) == (cell.estimates.count(), 0, 0)
    assert 0 < moved.changed <= moved.rows
    low, median, high, tpot = (
        moved.throughput_ratio_low,
        moved.throughput_ratio_median,
        moved.throughput_ratio_high,
        moved.tpot_ratio_median,
    )
    assert low is not None
    assert median is not None
    assert high is not None
    assert tpot is not None
    assert low <= median <= high
    assert high > 1.0
    assert 1 / 1.2 - 1e-6 <= tpot < 1
    first = moved.farthest[0]
    row = Estimate.objects.get(
        language_model=calculated.llama_8b,
        **{name: first[name] for name in ("workload", "offer", "objective")},
    )
    assert first["after"]["tpot_ms"] == pytest.approx(row.tpot_ms)
    assert first["before"]["tpot_ms"] > first["after"]["tpot_ms"]
    assert len(moved.farthest) <= movements.FARTHEST
    # nothing generates on the other two: the embedder is refused on every accelerator
    assert not Movement.objects.filter(language_model_id=calculated.embedder.pk).exists()


def test_rows_that_come_and_go_count_as_moved(calculated: TinyCatalogue) -> None:
    calculated.h100.offers.filter(count=8).update(retired=True)
    sweeper.sweep()
    moved = Movement.objects.get(language_model_id=calculated.llama_8b.pk)
    assert (moved.changed, moved.added) == (0, 0)
    assert moved.removed > 0
    assert moved.farthest[0]["after"] is None
    calculated.h100.offers.filter(count=8).update(retired=False)
    sweeper.sweep()
    latest = Movement.objects.filter(language_model_id=calculated.llama_8b.pk)[0]
    assert latest.added == moved.removed


def test_an_edit_that_moves_nothing_leaves_no_movement(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(name="H100, said otherwise")
    sweeper.sweep()
    assert not Movement.objects.exists()


def test_old_movements_are_pruned(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(memory_bandwidth_gbs=4020)
    sweeper.sweep()
    count = Movement.objects.count()
    assert movements.prune(30) == 0
    Movement.objects.update(at=Now() - timedelta(days=31))
    assert movements.prune(30) == count > 0


def test_the_tally_counts_chunks_by_duration(db: None) -> None:
    """0.05 s is in the first class, 0.3 s in the fourth (up to 0.5 s), an hour in the last."""
    figures = {"calculations": 2, "unchanged": 1, "failed": 0, "configurations": 100, "rows": 7}
    for seconds in (0.05, 0.3, 3600.0):
        count_chunk(seconds, **figures)
    tally = WorkTally.objects.get()
    assert tally.durations == [1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert (tally.chunks, tally.calculations, tally.rows_written) == (3, 6, 21)
    assert tally.seconds == pytest.approx(3600.35)


def test_a_sweep_is_tallied(calculated: TinyCatalogue) -> None:
    tally = WorkTally.objects.get()
    assert (tally.chunks, tally.calculations, tally.failed) == (1, 9, 0)
    assert tally.rows_written == Estimate.objects.count()
    Workload.objects.filter(slug="chat").update(osl=512)
    sweeper.sweep()
    assert WorkTally.objects.get().calculations == 18
