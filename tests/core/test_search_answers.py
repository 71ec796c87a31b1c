"""What a search answers: counts, costs and exclusions that follow by hand from one replica's figures."""

from dataclasses import replace

import pytest

from estimates.core.demand import Bounds, Candidate, Demand, Excluded, Found, SearchResult
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, InvalidFact, Link, ModelFacts, Speculation, Workload
from estimates.core.search import largest_of_chips, loads_of, search
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import A100, H100, UNKNOWN_BANDWIDTH, calibrated, offer

LLAMA = ModelFacts("llama-70b", llama_70b())
DEEPSEEK = ModelFacts("deepseek-v3", deepseek_v3())
WORK = Workload("document", 8192, 1024)
NETWORK = Link("scale_out", 50e9)
NODE = Candidate(offer(H100, 8), usd_per_hour=24.0, watts=5600.0, rack_share=0.25)
CARD = Candidate(offer(H100, 1, None), usd_per_hour=3.0, watts=700.0)
LEVEL = Demand(concurrency=100, tpot_s=0.05, ttft_s=2.0)


def asked(
    *candidates: Candidate,
    demand: Demand = LEVEL,
    bounds: Bounds | None = None,
    objective: str = "usd_per_mtok",
    model: ModelFacts = LLAMA,
    workload: Workload = WORK,
    need_price: bool = False,
) -> SearchResult:
    return search(
        model,
        candidates,
        workload,
        demand,
        bounds or Bounds(),
        objective,
        calibrated(),
        need_price=need_price,
    )


def only(result: SearchResult) -> Found:
    assert [one.candidate for one in result.found] == [0], result.excluded
    return result.found[0]


def out(result: SearchResult) -> Excluded:
    assert not result.found
    (excluded,) = result.excluded
    return excluded


def test_users_are_divided_evenly_over_the_replicas_and_machines_hold_the_spare_one_too() -> None:
    found = only(asked(NODE))
    assert found.concurrency * found.replicas == pytest.approx(100)
    a_node = 8 // (found.tp * found.dp * found.pp)
    assert found.spare == 1
    assert found.machines == -(-(found.replicas + 1) // a_node)
    assert found.chips == 8 * found.machines


def test_the_figures_are_those_of_the_same_deployment_asked_for_by_name() -> None:
    found = only(asked(NODE, demand=replace(LEVEL, concurrency=96)))
    alone = evaluate_one(
        LLAMA,
        offer(H100, found.tp * found.pp * found.dp),
        WORK,
        Deployment(
            weights=found.scheme,
            kv_format=found.kv_format,
            tp=found.tp,
            pp=found.pp,
            ep=found.ep,
            dp=found.dp,
            replicas=1,
            concurrency=round(found.concurrency),
        ),
        calibrated(),
    )
    assert found.concurrency == pytest.approx(round(found.concurrency))
    assert found.tpot.value == pytest.approx(alone.tpot_s, rel=1e-9)
    assert found.tpot.low == pytest.approx(alone.interval["tpot_s"].low, rel=1e-9)
    assert found.ttft_median_s == pytest.approx(alone.ttft_s["loaded_median"], rel=1e-9)
    assert found.ttft_p95_s == pytest.approx(alone.ttft_s["loaded_p95"], rel=1e-9)
    assert found.throughput.value == pytest.approx(
        (alone.throughput_output_tok_s or 0) * found.replicas, rel=1e-9
    )


def test_cost_is_all_machines_an_hour_over_the_tokens_of_that_hour() -> None:
    found = only(asked(NODE))
    usd = 24.0 * found.machines
    assert found.usd_per_hour == usd
    mtok_an_hour = found.throughput.value * 3600 / 1e6
    assert found.usd_per_mtok_output is not None
    assert found.usd_per_mtok_blended is not None
    assert found.usd_per_mtok_output.value == pytest.approx(usd / mtok_an_hour)
    assert found.usd_per_mtok_output.low == pytest.approx(usd / (found.throughput.high * 3600 / 1e6))
    # 8,192 tokens in for 1,024 out: 9 tokens are counted where one was.
    assert found.usd_per_mtok_blended.value == pytest.approx(found.usd_per_mtok_output.value / 9)


def test_both_limits_are_kept_and_the_room_to_them_is_said() -> None:
    found = only(asked(NODE))
    assert found.slack["tpot"] == (pytest.approx(found.tpot.value), 0.05)
    assert found.slack["ttft"][0] == pytest.approx(found.ttft_median_s)
    assert found.slack["ttft"][1] == 2.0
    assert found.tpot.value <= 0.05
    assert (found.ttft_median_s or 9) <= 2.0


def test_a_stated_rate_is_carried_and_its_population_obeys_littles_law() -> None:
    found = only(asked(NODE, demand=Demand(requests_per_s=3.0, tpot_s=0.05, ttft_s=2.0, ttft_at="p95")))
    assert found.throughput.value == pytest.approx(3.0 * 1024)
    assert found.ttft is not None
    # In flight = rate x (first token + 1,023 further tokens); the wait of prompts that meet by chance is in
    # the first token and not in the load, which is a little less therefore.
    in_flight = 3.0 * (found.ttft.value + 1023 * found.tpot.value)
    assert found.concurrency * found.replicas == pytest.approx(in_flight, rel=0.03)
    assert (found.ttft_p95_s or 9) <= 2.0
    assert (found.ttft_p95_s or 0) > (found.ttft_median_s or 0)


def test_without_a_load_one_machine_works_at_its_best_and_nothing_is_spare() -> None:
    found = only(asked(NODE, demand=Demand(tpot_s=0.05)))
    assert (found.machines, found.spare) == (1, 0)


def test_candidates_are_ranked_by_the_objective_and_unpriced_ones_come_last() -> None:
    dear = replace(NODE, usd_per_hour=96.0, offer=replace(NODE.offer, slug="dear"))
    unpriced = replace(NODE, usd_per_hour=None, offer=replace(NODE.offer, slug="unpriced"))
    result = asked(unpriced, dear, NODE)
    assert [one.candidate for one in result.found] == [2, 1, 0]
    costs = [one.usd_per_mtok_output for one in result.found]
    assert costs[0]
    assert costs[1]
    assert costs[2] is None
    assert costs[1].value == pytest.approx(4 * costs[0].value)


def test_speed_per_user_is_bought_with_chips_and_throughput_per_chip_with_speed() -> None:
    fast = only(asked(NODE, objective="speed_per_user"))
    dense = only(asked(NODE, objective="throughput_per_chip"))
    assert fast.tok_s_per_user > dense.tok_s_per_user
    assert fast.throughput_per_chip < dense.throughput_per_chip


def test_throughput_a_watt_and_a_rack_count_every_machine() -> None:
    found = only(asked(NODE, objective="throughput_per_watt"))
    assert found.throughput_per_watt == pytest.approx(found.throughput.value / (5600 * found.machines))
    found = only(asked(NODE, objective="throughput_per_rack"))
    assert found.throughput_per_rack == pytest.approx(found.throughput.value / (0.25 * found.machines))


def test_a_limit_that_none_keeps_excludes_with_the_best_value_and_how_far_it_is() -> None:
    excluded = out(asked(NODE, demand=replace(LEVEL, tpot_s=0.001)))
    assert (excluded.constraint, excluded.limit, excluded.unit) == ("tpot", 0.001, "s")
    fastest = only(asked(NODE, objective="speed_per_user")).tpot.value
    assert excluded.value == pytest.approx(fastest, rel=0.02)
    assert excluded.by == pytest.approx((excluded.value or 0) / 0.001)


def test_too_few_chips_exclude_with_the_users_that_they_would_carry() -> None:
    crowd = replace(LEVEL, concurrency=10_000)
    excluded = out(asked(NODE, demand=crowd, bounds=Bounds(chips=16)))
    assert (excluded.constraint, excluded.limit) == ("chips", 16)
    assert (excluded.value or 0) > 16
    assert excluded.change is not None
    assert excluded.change.kind == "concurrency"
    most = int(str(excluded.change.value))
    assert only(asked(NODE, demand=replace(LEVEL, concurrency=most), bounds=Bounds(chips=16))).chips <= 16


@pytest.mark.parametrize(
    ("bounds", "constraint"),
    [
        (Bounds(machines=1), "machines"),
        (Bounds(watts=5000), "watts"),
        (Bounds(usd_per_hour=23), "usd_per_hour"),
    ],
)
def test_every_bound_excludes_by_its_own_name(bounds: Bounds, constraint: str) -> None:
    excluded = out(asked(NODE, demand=replace(LEVEL, concurrency=2000), bounds=bounds))
    assert excluded.constraint == constraint


def test_a_price_that_is_needed_and_not_known_excludes() -> None:
    assert out(asked(replace(NODE, usd_per_hour=None), need_price=True)).constraint == "price"


def test_a_bound_on_power_excludes_what_has_no_published_power() -> None:
    excluded = out(asked(replace(NODE, watts=None), bounds=Bounds(watts=10_000)))
    assert excluded.constraint == "missing_fact"


def test_a_chip_without_published_bandwidth_is_excluded_by_the_missing_fact() -> None:
    excluded = out(asked(Candidate(offer(UNKNOWN_BANDWIDTH, 1, None))))
    assert excluded.constraint == "missing_fact"
    assert "bandwidth" in excluded.detail


def test_a_prompt_beyond_the_models_context_excludes_with_the_context_that_would_do() -> None:
    excluded = out(asked(NODE, workload=Workload("book", 200_000, 1000)))
    assert (excluded.constraint, excluded.value, excluded.limit) == ("context", 201_000, 131_072)


def test_what_one_card_cannot_hold_names_the_bytes_and_the_change_that_would_fit() -> None:
    excluded = out(asked(CARD, bounds=Bounds(formats=("bf16",))))
    assert excluded.constraint == "memory"
    assert (excluded.value or 0) > (excluded.limit or 0) == pytest.approx(85_520_809_984)
    assert excluded.change is not None
    assert excluded.change.kind == "format"
    held = only(asked(CARD, demand=Demand(), bounds=Bounds(formats=(str(excluded.change.value),))))
    assert held.scheme == excluded.change.value


def test_machines_are_joined_by_their_network_where_one_does_not_hold_the_model() -> None:
    linked = Candidate(offer(H100, 8, scale_out=NETWORK), usd_per_hour=24.0)
    found = only(asked(linked, model=DEEPSEEK, demand=Demand(), bounds=Bounds(formats=("bf16",))))
    # 671e9 parameters x 2 bytes = 1.34 TB: more than two nodes of 8 x 85.5e9 x 0.9 = 1.23 TB, less than four.
    assert found.cluster == 4
    assert found.machines == 4
    assert found.tp * found.dp * found.pp > 8
    assert found.usd_per_hour == 4 * 24.0


def test_machines_without_a_network_are_not_joined() -> None:
    excluded = out(asked(NODE, model=DEEPSEEK, demand=Demand(), bounds=Bounds(formats=("bf16",))))
    assert excluded.constraint == "memory"
    assert excluded.change is not None
    assert excluded.change.kind == "format"


def test_a_bound_on_machines_keeps_a_model_from_being_spread_over_more() -> None:
    linked = Candidate(offer(H100, 8, scale_out=NETWORK))
    bounds = Bounds(machines=3, formats=("bf16",))
    assert out(asked(linked, model=DEEPSEEK, demand=Demand(), bounds=bounds)).constraint == "memory"


def test_only_the_largest_machine_of_a_chip_is_joined() -> None:
    candidates = [CARD, NODE, Candidate(offer(A100, 4))]
    assert largest_of_chips(candidates, [0, 1, 2]) == [1, 2]


def test_loads_are_the_users_shared_over_slots_down_to_one() -> None:
    # 12 over 1, 2, 3, 4, 6, 8 and 12 slots; below one request a slot there is nothing to try.
    assert loads_of(Demand(concurrency=12)) == (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 12.0)


def test_fronts_rise_in_throughput_as_they_fall_in_speed() -> None:
    result = asked(NODE, CARD)
    speeds = [point.tok_s_per_user for point in result.front_speed_throughput]
    rates = [point.throughput_per_chip for point in result.front_speed_throughput]
    assert len(speeds) > 3
    assert speeds == sorted(speeds, reverse=True)
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"concurrency": 10, "requests_per_s": 1.0}, "demand.requests_per_s"),
        ({"tpot_s": -1.0}, "demand.tpot_s"),
        ({"ttft_at": "p99"}, "demand.ttft_at"),
        ({"spare": -1}, "demand.spare"),
    ],
)
def test_a_demand_that_cannot_be_names_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidFact) as caught:
        Demand(**values)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_an_unknown_objective_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidFact, match="usd_per_mtok"):
        asked(NODE, objective="cheapest")


def test_speculation_is_asked_of_every_deployment() -> None:
    drafted = Speculation("ngram", 2, 0.6)
    demand = Demand(concurrency=8)
    found = only(asked(NODE, demand=demand, bounds=Bounds(speculation=drafted), objective="speed_per_user"))
    alone = evaluate_one(
        LLAMA,
        offer(H100, found.tp * found.pp * found.dp),
        WORK,
        Deployment(
            weights=found.scheme,
            kv_format=found.kv_format,
            tp=found.tp,
            pp=found.pp,
            ep=found.ep,
            dp=found.dp,
            replicas=1,
            concurrency=round(found.concurrency),
            speculation=drafted,
        ),
        calibrated(),
    )
    assert found.concurrency == pytest.approx(round(found.concurrency))
    assert found.tpot.value == pytest.approx(alone.tpot_s, rel=1e-9)
    assert (found.tpot.low, found.tpot.high) == pytest.approx(
        (alone.interval["tpot_s"].low, alone.interval["tpot_s"].high), rel=1e-9
    )
    plain = only(asked(NODE, demand=demand, objective="speed_per_user"))
    assert found.tok_s_per_user > plain.tok_s_per_user


def test_speculation_without_a_published_acceptance_is_refused_by_that_fact() -> None:
    excluded = out(asked(NODE, bounds=Bounds(speculation=Speculation("ngram", 2))))
    assert excluded.constraint == "missing_fact"
    assert "acceptance" in excluded.detail
