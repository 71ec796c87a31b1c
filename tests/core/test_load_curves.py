"""Load curves: monotone, saturating, as Little has it, as answers have it, as a simulated queue has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimates.core.disaggregated import queue_wait
from estimates.core.estimate import decide, evaluate_one
from estimates.core.facts import Deployment, ModelFacts, Pool, Workload
from estimates.core.load_curves import Curve, Deployed, closed_curve, usual_loads
from estimates.core.open_loop import Limit, OpenLoop, crossings, open_curve, open_loop, rising
from estimates.core.percentiles import PERCENTILES, ttft_quantile
from tests.core.architectures import gpt_oss_120b, llama_70b
from tests.core.machines import CHAT, H100, MI300X, calibrated, offer, physics

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
OSS = ModelFacts("gpt-oss-120b", gpt_oss_120b())
POOLED = Deployment(weights="fp8", tp=2, prefill=Pool(workers=1, tp=2))
EIGHT = Deployment(weights="fp8", tp=8)
CASES = {
    "tensor parallel": (LLAMA, H100, CHAT, EIGHT),
    "replicas": (LLAMA, H100, CHAT, Deployment(weights="fp8", tp=2)),
    "long prompts": (LLAMA, MI300X, Workload("long", 16000, 200), Deployment(weights="fp8", tp=4)),
    "pipeline": (LLAMA, H100, CHAT, Deployment(weights="bf16", tp=2, pp=4)),
    "experts": (OSS, H100, CHAT, Deployment(tp=1, dp=8, ep=8)),
    "prefill pool": (LLAMA, H100, CHAT, POOLED),
}


def deployed(name: str = "tensor parallel", table=None, workload: Workload | None = None) -> Deployed:
    model, chip, usual, asked = CASES[name]
    asked = replace(asked, concurrency=64)
    choice = decide(model, offer(chip), workload or usual, asked, table or physics())
    return Deployed(model, choice.point, choice.replicas, table or physics())


def poisson(name: str = "tensor parallel", **more) -> OpenLoop:
    found = open_loop(deployed(name, **more))
    assert found is not None
    return found


def rises(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool((np.diff(known) >= -1e-9 * known[:-1]).all())


def in_order(curve: Curve) -> bool:
    finite = ~np.isnan(curve.ttft["mean"])
    first = curve.ttft["median"][finite] <= curve.ttft["p95"][finite] * (1 + 1e-9)
    return bool(first.all() and (curve.tpot["median"] <= curve.tpot["p95"]).all())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("table", [physics, calibrated])
def test_a_closed_loop_rises_to_its_saturated_rate_and_stays_there(name, table):
    one = deployed(name, table())
    curve = closed_curve(one, usual_loads(one, 24))
    assert rises(curve.throughput)
    assert in_order(curve)
    full = np.array(curve.state) == "saturated"
    assert full[-1]
    assert not full[0]
    assert np.isnan(curve.ttft["mean"][full]).all()
    assert (curve.ttft_saturated[full] > 0).all()
    assert curve.throughput[-1] <= curve.throughput[full][0] * 1.1


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("table", [physics, calibrated])
def test_under_poisson_arrivals_all_that_users_wait_for_rises_with_the_rate(name, table):
    loop = poisson(name, table=table())
    curve = open_curve(loop, loop.usual_rates(24))
    assert rises(curve.throughput)
    assert rises(curve.concurrency)
    assert in_order(curve)
    for at in PERCENTILES:
        assert rises(curve.ttft[at])
        assert rises(curve.tpot[at])
    assert curve.throughput[-1] == pytest.approx(loop.highest * loop.deployed.point.workload.osl)
    assert curve.state[-3:] == ("saturated",) * 3
    assert curve.state[0] == "ok"
    assert np.isnan(curve.ttft["mean"][-3:]).all()


@pytest.mark.parametrize("name", ["tensor parallel", "replicas", "long prompts", "experts"])
def test_requests_in_flight_are_rate_times_life(name):
    """N = rate x (TTFT without the wait for room + (OSL - 1) TPOT), of each replica."""
    loop = poisson(name)
    curve = open_curve(loop, np.array([0.2, 0.5, 0.8]) * loop.highest)
    osl = loop.deployed.point.workload.osl
    life = curve.ttft["mean"] + (osl - 1) * curve.tpot["mean"]
    assert curve.concurrency == pytest.approx(curve.load * life, rel=0.01)


@pytest.mark.parametrize("name", ["tensor parallel", "replicas", "experts"])
def test_both_loops_answer_at_the_same_rate_but_for_the_wave(name):
    """With N + 1 clients a replica in a closed loop, of whom one sees N, and N in flight in an open one.

    The closed loop's life holds the first wave besides; without it, N / life is the open loop's rate.
    """
    loop = poisson(name)
    one, replicas = loop.deployed, loop.deployed.replicas
    curve = open_curve(loop, np.array([0.3, 0.6, 0.9]) * loop.highest)
    closed = closed_curve(one, curve.concurrency + replicas)
    life = closed.ttft["mean"] - closed.first_wave + (CHAT.osl - 1) * closed.tpot["mean"]
    assert curve.concurrency / life == pytest.approx(curve.requests_per_s, rel=0.02)
    assert (closed.first_wave > 0).all()
    assert (curve.first_wave == 0).all()


def test_a_load_below_the_room_has_the_figures_of_a_single_question():
    one = deployed(table=calibrated())
    answer = evaluate_one(LLAMA, offer(H100), CHAT, replace(EIGHT, concurrency=64), calibrated())
    curve = closed_curve(one, [64.0])
    assert curve.throughput[0] == pytest.approx(answer.throughput_output_tok_s)
    assert curve.ttft["p95"][0] == pytest.approx(answer.ttft_s["loaded_p95"])
    assert curve.tpot["mean"][0] == pytest.approx(answer.tpot_s)
    low = curve.throughput[0] * np.exp(-curve.bounds["throughput"][1][0])
    assert low == pytest.approx(answer.interval["throughput_output_tok_s"].low)


def test_fewer_clients_than_replicas_use_as_many_replicas():
    one = deployed("replicas")
    assert one.replicas == 4
    curve = closed_curve(one, [1.0, 4.0])
    assert curve.throughput[1] == pytest.approx(4 * curve.throughput[0])


def test_usual_loads_hold_the_point_of_saturation():
    one = deployed("replicas")
    loads = usual_loads(one, 16)
    answer = evaluate_one(
        LLAMA, offer(H100), CHAT, Deployment(weights="fp8", tp=2, concurrency=10_000), physics()
    )
    room = float(answer.reason.accepted[0].rpartition(" ")[2])
    assert answer.state == "saturated"
    assert room in loads
    states = dict(zip(loads, closed_curve(one, loads).state, strict=True))
    assert states[room] != "saturated"
    assert states[loads[loads > room][0]] == "saturated"


def test_a_limit_is_reached_where_the_curve_crosses_it():
    loop = poisson()
    found = crossings(loop, [Limit("ttft", "p95", 0.15)])[0]
    curve = open_curve(loop, [found.rate])
    assert found.by == "limit"
    assert curve.ttft["p95"][0] == pytest.approx(0.15, rel=0.01)
    assert found.low < found.rate < found.high


def test_a_limit_that_no_request_keeps_and_one_that_only_saturation_breaks():
    loop = poisson()
    assert crossings(loop, [Limit("tpot", "mean", 0.001)])[0].by == "never"
    assert crossings(loop, [Limit("tpot", "mean", 0.001)])[0].rate == 0
    wide = crossings(loop, [Limit("tpot", "p95", 10.0)])[0]
    assert wide.by == "saturation"
    assert wide.rate == loop.highest
    assert loop.highest_low < wide.rate < loop.highest_high


def test_a_prefill_pool_answers_no_more_than_its_prompts_a_second():
    loop = poisson("prefill pool")
    evaluated = loop.deployed.evaluate([16.0])
    assert loop.highest == pytest.approx(float(evaluated.pools.prompts.rate_limit[0, 0, 0]), rel=0.03)
    curve = open_curve(loop, [0.5 * loop.highest])
    assert curve.tpot["p95"] == pytest.approx(curve.tpot["mean"])  # decode steps carry no prompts


def test_without_a_rate_to_compute_prompts_there_is_no_open_loop():
    bare = replace(H100, rates=())
    choice = decide(LLAMA, offer(bare), CHAT, Deployment(weights="bf16", tp=8, concurrency=8), physics())
    assert open_loop(Deployed(LLAMA, choice.point, choice.replicas, physics())) is None


def test_adjacent_violators_are_pooled_in_logarithms():
    # 4 and 1 pool to their geometric mean 2
    assert rising(np.array([1.0, 4.0, 1.0, 5.0])) == pytest.approx([1, 2, 2, 5])


# ---- Against simulated queues ----------------------------------------------------------------------------


def waits(rate: float, service: float, servers: int, arrivals: int = 400_000) -> np.ndarray:
    """Waits of Poisson arrivals for `servers` of fixed service, by simulating each arrival (seeded)."""
    rng = np.random.default_rng(20)
    times = np.cumsum(rng.exponential(1 / rate, arrivals))
    # With equal service times first come is first gone: the n-th waits for the one `servers` before it.
    start = np.zeros(arrivals)
    for first in range(servers):
        own = times[first::servers]
        # start_n = max(arrival_n, start_(n - c) + service): a running maximum of arrival - n x service.
        steps = service * np.arange(own.size)
        start[first::servers] = np.maximum.accumulate(own - steps) + steps
    return (start - times)[arrivals // 10 :]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_first_tokens_of_independent_users_against_a_simulated_queue(share):
    """Answers of one token leave no decoding to share the chip: TTFT = service + the wait of M/D/1.

    The mean is exact (2% of simulation); p95 rests on an exponential tail (13% of TTFT).
    """
    loop = poisson(workload=Workload("one", 4000, 1))
    evaluated = loop.deployed.evaluate([8.0])
    times = evaluated.times
    service = 4000 / times.chunk.item(0) * times.prefill.item(0)
    curve = open_curve(loop, [share / service])
    own = curve.ttft["mean"][0] - curve.waiting[0]
    seen = own + waits(share / service, service, 1)
    assert curve.utilisation[0] == pytest.approx(share)
    assert curve.ttft["mean"][0] == pytest.approx(seen.mean(), rel=0.02)
    assert curve.ttft["p95"][0] == pytest.approx(np.quantile(seen, 0.95), rel=0.13)
    assert curve.ttft["median"][0] == pytest.approx(np.median(seen), rel=0.13)


@pytest.mark.parametrize(("servers", "use"), [(4, 0.8), (16, 0.9), (64, 0.97)])
def test_the_wait_for_room_against_a_simulated_queue(servers, use):
    """M/D/c: the mean within 15% of the simulation, p95 of all within 20% of a service."""
    seen = waits(use * servers, 1.0, servers)
    mean = queue_wait(np.array(use), np.array(servers), np.array(1.0))
    assert mean == pytest.approx(seen.mean(), rel=0.15)
    busy = use ** (np.sqrt(2 * (servers + 1)) - 1)
    found = ttft_quantile(0.0, mean, 0.0, "p95", busy=busy)
    assert found == pytest.approx(np.quantile(seen, 0.95), abs=0.2)


# ---- The first wave --------------------------------------------------------------------------------------


def test_an_answer_says_which_part_of_its_mean_first_token_is_the_first_wave():
    """By hand: mean = service + wait + wave, median = service + 0.693 wait."""
    answer = evaluate_one(LLAMA, offer(H100), CHAT, replace(EIGHT, concurrency=256), physics())
    loop = deployed().evaluate([256.0]).loop
    first = answer.ttft_s
    assert first["first_wave"] == pytest.approx(loop.burst.item(0))
    assert first["loaded_mean"] - first["first_wave"] - 0.307 * loop.wait.item(0) == pytest.approx(
        first["loaded_median"]
    )
    said = next(text for text in answer.assumptions if "first wave" in text)
    assert f"{first['first_wave'] * 1e3:.0f} of {first['loaded_mean'] * 1e3:.0f} ms" in said


def test_one_client_makes_no_wave_and_nothing_is_said():
    answer = evaluate_one(LLAMA, offer(H100), CHAT, replace(EIGHT, concurrency=1), physics())
    assert answer.ttft_s["first_wave"] == 0
    assert not any("first wave" in text for text in answer.assumptions)


def test_how_long_clients_wait_for_room_leaves_the_rates_interval_alone():
    one = deployed("replicas", calibrated())
    curve = closed_curve(one, usual_loads(one, 16))
    full = [index for index, state in enumerate(curve.state) if state == "saturated"]
    for side in curve.bounds["throughput"]:
        assert np.ptp(side[full[0] - 1 :]) == 0
