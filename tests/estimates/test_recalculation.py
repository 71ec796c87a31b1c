"""Recalculation on a tiny catalogue: facts in, rows out, staleness by query, convergence by sweep."""

import pytest
from django.db import connection

from catalog.models import Accelerator, LanguageModel, PeakRate, Workload
from estimates import runs, store, sweeper
from estimates.convergence import planning
from estimates.models import Calculation, CalculationState, Estimate, Objective, RunState, State
from estimates.staleness import (
    create_missing_calculations,
    oldest_stale_seconds,
    parked_calculations,
    stale_calculations,
)
from tests.estimates.conftest import TinyCatalogue, add_quote


@pytest.fixture
def calculated(tiny: TinyCatalogue) -> TinyCatalogue:
    sweeper.sweep()
    assert not stale_calculations().exists()
    return tiny


def tpots(accelerator: Accelerator) -> dict[tuple[str, int], float]:
    rows = Estimate.objects.filter(offer__accelerator=accelerator, tpot_ms__isnull=False)
    return {
        (f"{model} {offer}", objective): tpot
        for model, offer, objective, tpot in rows.values_list(
            "language_model__slug", "offer__slug", "objective", "tpot_ms"
        )
    }


def test_every_pair_of_model_and_accelerator_is_stale_until_it_is_calculated(tiny: TinyCatalogue) -> None:
    assert create_missing_calculations() == 3 * 3
    assert create_missing_calculations() == 0
    assert stale_calculations().count() == 9
    assert oldest_stale_seconds() > 0
    sweeper.sweep()
    assert stale_calculations().count() == 0
    assert oldest_stale_seconds() == 0


def test_a_model_that_fits_has_three_answers_within_its_service_level(calculated: TinyCatalogue) -> None:
    rows = Estimate.objects.filter(
        language_model=calculated.llama_8b, offer__slug="nvidia-h100-sxm-x1", workload=calculated.chat
    )
    assert [row.objective for row in rows.order_by("objective")] == list(Objective)
    for row in rows:
        assert row.state == State.OK
        assert row.tpot_ms > 0
        assert row.ttft_ms > 0
        assert row.throughput_tok_s > 0
        assert row.tpot_low_ms < row.tpot_ms < row.tpot_high_ms
        assert row.memory_used_gb < row.memory_usable_gb == pytest.approx(85.520809984)
        assert row.grade in "ABCD"
    fastest, within, highest = rows.order_by("objective")
    assert fastest.tpot_ms <= within.tpot_ms
    assert within.throughput_tok_s <= highest.throughput_tok_s * 1.001
    assert fastest.meets_service_level
    assert within.meets_service_level


def test_a_model_that_misses_its_service_level_keeps_its_fastest_deployment_too(
    calculated: TinyCatalogue,
) -> None:
    Workload.objects.filter(pk=calculated.chat.pk).update(tpot_limit_ms=0.01)
    sweeper.sweep()
    rows = Estimate.objects.filter(
        language_model=calculated.llama_8b, offer__slug="nvidia-h100-sxm-x1", workload=calculated.chat
    )
    fastest, highest = rows.order_by("objective")
    assert [fastest.objective, highest.objective] == [Objective.FASTEST, Objective.THROUGHPUT]
    assert fastest.tpot_ms < highest.tpot_ms
    for row in (fastest, highest):
        assert not row.meets_service_level
        assert row.reason == "tpot_slo_missed: nothing keeps the limit per output token"


def test_a_token_is_not_faster_than_its_weights_can_be_read(calculated: TinyCatalogue) -> None:
    """8.03e9 parameters in 4-bit weights are at least 4.0e9 bytes; at 3,350 GB/s they take 1.2 ms to read."""
    row = Estimate.objects.get(
        language_model=calculated.llama_8b,
        offer__slug="nvidia-h100-sxm-x1",
        workload=calculated.chat,
        objective=Objective.FASTEST,
    )
    assert row.tpot_ms > 4.0e9 / 3350e9 * 1e3


def test_what_does_not_fit_is_a_row_with_its_shortfall(calculated: TinyCatalogue) -> None:
    """70.6e9 parameters take at least 35 GB; the L40S's 48 GB hold them in 4 bits, and no wider."""
    LanguageModel.objects.filter(pk=calculated.llama_70b.pk).update(
        architecture=calculated.llama_70b.architecture | {"hidden": 32768}
    )
    sweeper.sweep()
    rows = Estimate.objects.filter(language_model=calculated.llama_70b, offer__slug="nvidia-l40s-x1")
    row = rows.get(workload=calculated.chat)
    assert row.state == State.DOES_NOT_FIT
    assert row.shortfall_gb > 0
    assert row.reason.startswith("does_not_fit: ")
    assert row.tpot_ms is None
    assert not row.meets_service_level


def test_a_refused_row_names_the_missing_fact(calculated: TinyCatalogue) -> None:
    row = Estimate.objects.get(
        language_model=calculated.llama_8b, offer__slug="mystery-x1", workload=calculated.chat
    )
    assert row.state == State.REFUSED
    assert row.reason == "missing_bandwidth: the memory bandwidth is not published (memory_bandwidth)"


def test_a_model_that_generates_no_text_is_refused_once_an_offer(calculated: TinyCatalogue) -> None:
    rows = Estimate.objects.filter(language_model=calculated.embedder)
    offers = ("nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1", "mystery-x1")
    refused = (State.REFUSED, "not_a_generator: the model generates no text")
    assert {row.offer.slug: (row.state, row.reason) for row in rows} == dict.fromkeys(offers, refused)
    assert rows.count() == 4


def test_edge_workloads_are_asked_of_edge_parts_only(calculated: TinyCatalogue) -> None:
    assert not Estimate.objects.filter(workload=calculated.edge).exists()
    Accelerator.objects.filter(pk=calculated.l40s.pk).update(segment="edge")
    sweeper.sweep()
    offers = Estimate.objects.filter(workload=calculated.edge).values_list("offer__slug", flat=True)
    assert set(offers) == {"nvidia-l40s-x1"}


def test_an_edit_by_raw_sql_becomes_stale_and_the_sweeper_converges(calculated: TinyCatalogue) -> None:
    before = tpots(calculated.h100)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_accelerator SET memory_bandwidth_gbs = 4020 WHERE slug = %s",
            ["nvidia-h100-sxm"],
        )
    assert set(stale_calculations().values_list("accelerator", flat=True)) == {calculated.h100.pk}
    assert stale_calculations().count() == 3
    done = sweeper.sweep()
    assert done.calculations == 3
    assert not stale_calculations().exists()
    after = tpots(calculated.h100)
    fastest = ("llama-3.1-8b-instruct nvidia-h100-sxm-x1", Objective.FASTEST)
    assert after[fastest] < before[fastest]


def test_a_rate_that_changes_is_a_change_of_its_accelerator(calculated: TinyCatalogue) -> None:
    PeakRate.objects.filter(accelerator=calculated.l40s, number_format="fp8").update(tera_ops=800)
    assert set(stale_calculations().values_list("accelerator", flat=True)) == {calculated.l40s.pk}


def test_a_changed_workload_makes_everything_stale_a_new_wording_nothing(calculated: TinyCatalogue) -> None:
    Workload.objects.filter(slug="chat").update(reason="said otherwise")
    assert not stale_calculations().exists()
    Workload.objects.filter(slug="chat").update(osl=512)
    assert stale_calculations().count() == 9


def test_an_edit_that_changes_no_input_evaluates_nothing(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(name="H100, said otherwise")
    assert stale_calculations().count() == 3
    done = sweeper.sweep()
    assert (done.calculations, done.configurations, done.rows) == (3, 0, 0)
    assert not stale_calculations().exists()


def test_a_note_makes_nothing_stale(calculated: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=calculated.h100.pk).update(notes="a remark")
    assert not stale_calculations().exists()


def test_a_new_price_quote_recalculates_nothing(calculated: TinyCatalogue) -> None:
    add_quote(calculated.h100, 8, "20")
    assert not stale_calculations().exists()
    assert sweeper.sweep().chunks == 0


def test_recalculating_everything_again_rewrites_no_row(calculated: TinyCatalogue) -> None:
    run = runs.start_recalculation("all", "test", hint=False)
    assert (run.state, run.chunks) == (RunState.QUEUED, 3)
    done = sweeper.sweep()
    run.refresh_from_db()
    assert (run.state, run.chunks_done, run.rows_written) == (RunState.DONE, 3, 0)
    assert run.configurations == done.configurations > 0
    assert run.finished_at is not None


def test_a_run_of_one_accelerator_takes_its_calculations_only(calculated: TinyCatalogue) -> None:
    run = runs.start_recalculation("accelerator:nvidia-l40s", hint=False)
    assert run.pending.count() == 3
    assert sweeper.sweep().calculations == 3


def test_the_first_calculation_is_requested_once(tiny: TinyCatalogue) -> None:
    run = runs.start_first_calculation(hint=False)
    assert run is not None
    assert runs.start_first_calculation(hint=False) is None
    sweeper.sweep()
    assert runs.start_first_calculation(hint=False) is None


def test_a_scope_that_names_nothing_is_refused_with_near_matches(tiny: TinyCatalogue) -> None:
    with pytest.raises(runs.UnknownScope) as caught:
        runs.start_recalculation("accelerator:nvidia-h100")
    assert "nvidia-h100-sxm" in str(caught.value)
    with pytest.raises(runs.UnknownScope):
        runs.start_recalculation("everything")


def test_a_model_that_cannot_be_read_is_parked_with_its_error_and_the_others_go_on(
    tiny: TinyCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAUSE_SECONDS", 0.0)  # tried again at once
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).update(architecture={"role": "decoder"})
    for _ in range(4):
        sweeper.sweep()
    failed = Calculation.objects.filter(state=CalculationState.FAILED)
    assert set(failed.values_list("language_model", "attempts")) == {(tiny.llama_8b.pk, 3)}
    assert "architecture.hidden" in failed[0].error
    assert set(parked_calculations()) == set(failed)
    assert not stale_calculations().exists()
    assert Estimate.objects.filter(language_model=tiny.llama_70b).exists()
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).update(architecture=tiny.llama_8b.architecture)
    sweeper.sweep()
    assert not Calculation.objects.filter(state=CalculationState.FAILED).exists()


def test_a_retired_offer_loses_its_rows(calculated: TinyCatalogue) -> None:
    calculated.h100.offers.filter(count=8).update(retired=True)
    sweeper.sweep()
    assert not Estimate.objects.filter(offer__slug="nvidia-h100-sxm-x8").exists()
    assert Estimate.objects.filter(offer__slug="nvidia-h100-sxm-x1").exists()


def test_most_used_models_come_first(tiny: TinyCatalogue) -> None:
    from estimates.priority import models_by_use

    order = models_by_use()
    assert order[0] == tiny.llama_70b.pk  # first by name; no measurement speaks for any of the three
    cells = dict.fromkeys(order, planning.CELLS_A_CHUNK)
    assert planning.models_by_chunk(cells, order)[0] == [tiny.llama_70b.pk]
