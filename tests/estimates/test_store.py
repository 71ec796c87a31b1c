"""The guarded upsert: never back in version, never a row rewritten for nothing, nothing left over."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from django.db import connection

from catalog.models import Accelerator, LanguageModel
from estimates import store
from estimates.comparison.superseded import kept_answers
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import Calculation, Estimate, Method, Objective, State, SupersededEstimate
from estimates.staleness import create_missing_calculations
from estimates.store import Batch, MadeCalculation
from tests.estimates.conftest import TinyCatalogue


def calculation(tiny: TinyCatalogue) -> Calculation:
    create_missing_calculations()
    return Calculation.objects.get(language_model=tiny.llama_8b, accelerator=tiny.h100)


def batch(
    tiny: TinyCatalogue,
    cell: Calculation,
    *,
    model_version: int = 1,
    accelerator_version: int = 1,
    tpot_ms: float = 5.0,
    objectives: Sequence[int] = (Objective.FASTEST, Objective.THROUGHPUT),
    digest: str | None = None,
    error: str = "",
) -> Batch:
    """One calculation with a row for each objective on the first offer."""
    offer = tiny.h100.offers.order_by("count").first()
    assert offer is not None
    rows = store.empty_rows(len(objectives))
    rows["calculation_id"] = cell.pk
    rows["language_model_id"] = cell.language_model_id
    rows["offer_id"] = offer.pk
    rows["workload_id"] = tiny.chat.pk
    rows["objective"] = objectives
    rows["state"] = State.OK
    rows["weight_format"] = 1
    rows["reason"] = 0
    rows["grade"] = ord("B")
    rows["tp"] = 1
    rows["tpot_ms"] = tpot_ms
    rows["meets_service_level"] = 1
    made = MadeCalculation(cell.pk, model_version, accelerator_version, "digest", 10, error)
    workloads = read_workloads().digest if digest is None else digest
    return Batch([made], rows, ["fp8"], workloads, method_version())


def bump(row: Accelerator | LanguageModel, times: int) -> None:
    for number in range(times):
        type(row)._default_manager.filter(pk=row.pk).update(name=f"{row.slug}, edit {number}")


def test_values_arrive_as_given_and_unknown_ones_as_null(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    written = store.write(batch(tiny, cell, objectives=[Objective.FASTEST]))
    row = Estimate.objects.get()
    assert (written.rows, written.calculations, written.configurations) == (1, 1, 10)
    assert (row.calculation_id, row.weight_format, row.grade, row.tp) == (cell.pk, "fp8", "B", 1)
    assert (row.tpot_ms, row.meets_service_level) == (5.0, True)
    assert (row.ttft_ms, row.pp, row.reason, row.kv_format) == (None, None, "", "")


def test_versions_read_are_stored_with_the_calculation(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    store.write(batch(tiny, cell, model_version=1, accelerator_version=tiny.h100.version))
    cell.refresh_from_db()
    assert (cell.state, cell.model_version, cell.accelerator_version) == ("done", 1, tiny.h100.version)
    assert (cell.input_digest, cell.method_version) == ("digest", method_version())


def test_an_older_version_never_overwrites_a_newer_one_in_any_order_of_delivery(tiny: TinyCatalogue) -> None:
    """Six edits of model and accelerator, results delivered twice each and shuffled: the newest stands."""
    bump(tiny.llama_8b, 3)  # versions 1 to 4
    versions = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3)]
    for seed in range(8):
        Calculation.objects.all().delete()
        cell = calculation(tiny)
        deliveries = versions * 2
        random.Random(seed).shuffle(deliveries)
        newest = (0, 0)
        for model_version, accelerator_version in deliveries:
            store.write(
                batch(
                    tiny,
                    cell,
                    model_version=model_version,
                    accelerator_version=accelerator_version,
                    tpot_ms=10.0 * model_version + accelerator_version,
                )
            )
            cell.refresh_from_db()
            stored = (cell.model_version, cell.accelerator_version)
            assert stored >= newest
            assert stored[1] >= newest[1]
            newest = stored
            assert set(Estimate.objects.values_list("tpot_ms", flat=True)) == {10.0 * stored[0] + stored[1]}
        assert newest == (4, 3)


def test_results_for_outdated_workloads_do_not_replace_current_ones(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    store.write(batch(tiny, cell, tpot_ms=5.0))
    written = store.write(batch(tiny, cell, tpot_ms=9.0, digest="of older workloads"))
    assert written.skipped == 1
    assert set(Estimate.objects.values_list("tpot_ms", flat=True)) == {5.0}


def test_a_stored_version_above_the_catalogues_does_not_stand_in_the_way(tiny: TinyCatalogue) -> None:
    """After a restored backup the catalogue is at version 1 and the calculation says 7."""
    cell = calculation(tiny)
    store.write(batch(tiny, cell, tpot_ms=5.0))
    Calculation.objects.filter(pk=cell.pk).update(model_version=7)
    written = store.write(batch(tiny, cell, tpot_ms=6.0))
    assert written.calculations == 1
    assert set(Estimate.objects.values_list("tpot_ms", flat=True)) == {6.0}


def physical_rows() -> dict[int, str]:
    """Where each row lies and which transaction wrote it; both change when a row is rewritten."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text || ' ' || xmin::text FROM estimates_estimate")
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_rows_that_come_out_the_same_are_not_rewritten() -> None:
    from tests.estimates.conftest import build

    tiny = build()
    cell = calculation(tiny)
    store.write(batch(tiny, cell))
    before = physical_rows()
    written = store.write(batch(tiny, cell))
    assert (written.rows, written.deleted) == (0, 0)
    assert physical_rows() == before


def test_rows_no_longer_produced_are_deleted(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    store.write(batch(tiny, cell))
    written = store.write(batch(tiny, cell, objectives=[Objective.THROUGHPUT]))
    assert written.deleted == 1
    assert [row.objective for row in Estimate.objects.all()] == [Objective.THROUGHPUT]


def test_a_failed_calculation_keeps_its_error_its_attempts_and_its_rows(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    store.write(batch(tiny, cell))
    for attempt in (1, 2, 3):
        written = store.write(batch(tiny, cell, error="ValueError: no"))
        cell.refresh_from_db()
        assert (cell.state, cell.attempts, cell.error) == ("failed", attempt, "ValueError: no")
    assert written.failed == [cell.pk]
    assert Estimate.objects.count() == 2


def test_copy_is_postgres_binary_format() -> None:
    """11 bytes of signature, 8 of flags and extension, rows, 2 of trailer; NaN stands for unknown."""
    data = store.copy_bytes(store.empty_rows(1))
    fields = len(store.ROW.names or ())
    body = 2 + fields * 4 + sum(np.dtype(store.ROW[index]).itemsize for index in range(fields))
    assert data.startswith(b"PGCOPY\n\xff\r\n\x00")
    assert len(data) == 19 + body + 2
    assert data.endswith(b"\xff\xff")


def test_what_an_earlier_method_said_is_kept_when_a_newer_one_replaces_it(tiny: TinyCatalogue) -> None:
    """Every row, one that the newer method no longer gives included; a second writing by it keeps nothing."""
    cell = calculation(tiny)
    store.write(replace(batch(tiny, cell, tpot_ms=5.0), method_version="first"))
    assert SupersededEstimate.objects.count() == 0
    newer = replace(batch(tiny, cell, tpot_ms=4.0, objectives=[Objective.FASTEST]), method_version="second")
    store.write(newer)
    store.write(
        replace(batch(tiny, cell, tpot_ms=3.0, objectives=[Objective.FASTEST]), method_version="second")
    )
    kept = SupersededEstimate.objects.order_by("objective")
    assert [(row.objective, row.tpot_ms, row.model_version) for row in kept] == [
        (Objective.FASTEST, 5.0, 1),
        (Objective.THROUGHPUT, 5.0, 1),
    ]
    assert Method.objects.get(pk=kept[0].method_id).version == "first"
    assert list(Estimate.objects.values_list("tpot_ms", flat=True)) == [3.0]


def test_answers_of_two_methods_back_are_kept_and_no_older_ones(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    for number, version in enumerate(["first", "second", "third", "fourth"], start=1):
        store.write(replace(batch(tiny, cell, tpot_ms=float(number)), method_version=version))
    row = Estimate.objects.get(objective=Objective.FASTEST)
    kept = [(method.version, answer.tpot_ms) for method, answer in kept_answers(row)]
    assert kept == [("third", 3.0), ("second", 2.0)]


def test_a_guarded_out_batch_keeps_nothing_of_an_earlier_method(tiny: TinyCatalogue) -> None:
    cell = calculation(tiny)
    bump(tiny.llama_8b, 2)
    store.write(replace(batch(tiny, cell, model_version=3), method_version="first"))
    written = store.write(replace(batch(tiny, cell, model_version=2, tpot_ms=9.0), method_version="second"))
    assert (written.skipped, written.rows) == (1, 0)
    assert SupersededEstimate.objects.count() == 0
