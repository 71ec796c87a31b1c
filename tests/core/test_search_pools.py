"""Prompts and decoding on pools of their own, as a search finds them."""

import pytest

from estimates.core.demand import Bounds, Candidate, Demand, Found
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, ModelFacts, Pool, Workload
from estimates.core.search import search
from tests.core.architectures import llama_70b
from tests.core.machines import H100, calibrated, offer

LLAMA = ModelFacts("llama-70b", llama_70b())
WORK = Workload("document", 8192, 1024)
NODE = Candidate(offer(H100, 8), usd_per_hour=24.0)
CARD = Candidate(offer(H100, 1, None), usd_per_hour=3.0)


def asked(serving: str, *candidates: Candidate, **demand: float) -> list[Found]:
    level = Demand(**({"tpot_s": 0.03, "ttft_s": 2.0} | demand))  # type: ignore[arg-type]
    bounds = Bounds(serving=serving)  # type: ignore[arg-type]
    found = search(LLAMA, candidates, WORK, level, bounds, "throughput_per_chip", calibrated())
    return list(found.found)


def test_either_is_never_worse_than_one_of_both() -> None:
    (either,) = asked("either", NODE, concurrency=96)
    alone = [
        one for serving in ("aggregated", "disaggregated") for one in asked(serving, NODE, concurrency=96)
    ]
    assert either.throughput_per_chip == max(one.throughput_per_chip for one in alone)


def test_the_figures_are_those_of_the_same_pools_asked_for_by_name() -> None:
    (found,) = asked("disaggregated", NODE, concurrency=96)
    assert found.prefill is not None
    machines = found.machines - found.spare
    per_machine = found.replicas // machines
    alone = evaluate_one(
        LLAMA,
        NODE.offer,
        WORK,
        Deployment(
            weights=found.scheme,
            kv_format=found.kv_format,
            tp=found.tp,
            pp=found.pp,
            ep=found.ep,
            dp=found.dp,
            replicas=per_machine,
            concurrency=round(96 / machines),
            prefill=Pool(
                found.prefill.workers // machines,
                found.prefill.tp,
                found.prefill.pp,
                found.prefill.ep,
                found.prefill.dp,
            ),
        ),
        calibrated(),
    )
    assert 96 % machines == 0
    assert found.tpot.value == pytest.approx(alone.tpot_s, rel=1e-9)
    assert found.ttft_median_s == pytest.approx(alone.ttft_s["loaded_median"], rel=1e-9)
    assert found.ttft_p95_s == pytest.approx(alone.ttft_s["loaded_p95"], rel=1e-9)
    assert found.throughput.value == pytest.approx((alone.throughput_output_tok_s or 0) * machines, rel=1e-9)


def test_the_spare_one_is_a_whole_machine() -> None:
    (found,) = asked("disaggregated", NODE, concurrency=96)
    assert found.machines == 1 + found.replicas // (found.replicas // (found.machines - 1))
    assert found.chips == 8 * found.machines


def test_a_single_chip_has_no_pools_and_says_that_it_is_out_for_them() -> None:
    result = search(
        LLAMA,
        [CARD],
        WORK,
        Demand(concurrency=8),
        Bounds(serving="disaggregated"),
        "usd_per_mtok",
        calibrated(),
    )
    assert not result.found
    assert [one.constraint for one in result.excluded] == ["serving"]


def test_a_rate_of_arrivals_by_chance_is_served_on_the_same_chips() -> None:
    (either,) = asked("either", NODE, requests_per_s=2.0)
    assert either.prefill is None
