"""What measurements change of the physics: of single points, and of a block of the grid."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.core.correction import (
    LARGEST,
    block_factors,
    coordinates_of,
    lane_identities,
    serving_of,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Workload
from estimates.core.floor import decode_floor_s
from estimates.core.grid_block import GridSpec, Pending, WorkloadTable, evaluate_block
from estimates.core.identity import METRICS
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.model_columns import columns_of
from estimates.core.model_table import ModelTable
from estimates.core.points import Evaluated, Point, evaluate_points, place
from estimates.core.residuals import FEATURES, Component, Residuals
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.learnt import LENGTHS, ORIGIN, learnt, posterior
from tests.core.machines import H100, MI300X, NVLINK_4, WSE3, physics

LLAMA = ModelFacts("llama", llama_70b())
DEEPSEEK = ModelFacts("deepseek", deepseek_v3())
CLOSED = Workload("w", 1000, 500)
STATIC = replace(CLOSED, arrival="static")


def lane(software: str | None = "vllm", chip=H100, tp=8, dp=1, ep=1, model=LLAMA) -> Lane:
    scheme = named_scheme("fp8", model.architecture)
    link = None if chip is WSE3 else NVLINK_4
    return Lane(Variant(chip, link, None), scheme, "fp8", tp, dp, ep, software)


def shifted(point: Point, model: ModelFacts = LLAMA, **logs: float) -> Residuals:
    """A posterior that adds these logarithms to the metrics of everything in the point's software."""
    identity = place(point, model).identity
    runs = [(metric, identity, ORIGIN, log) for metric, log in logs.items()]
    return posterior(runs, Component("software", ("metric", "software"), 1.0))


def evaluated(point: Point, table: EfficiencyTable, model: ModelFacts = LLAMA) -> Evaluated:
    return evaluate_points(model, [point], table)


def pair(point: Point, **logs: float) -> tuple[Evaluated, Evaluated]:
    """The point by the physics, and with these corrections."""
    return evaluated(point, physics()), evaluated(point, learnt(shifted(point, **logs)))


def first(values) -> float:
    return float(np.asarray(values).reshape(-1)[0])


def test_coordinates_are_doublings():
    """64 requests on 2 ranks and 4 stages are 8 a rank and slot: 3 doublings."""
    point = Point(lane(tp=4, dp=2, ep=8), 4, Workload("w", 1024, 256), 64)
    found = place(point, DEEPSEEK).features
    expected = {"batch": 3, "isl": 10, "osl": 8, "tp": 2, "ep": 3, "dp": 1, "pp": 2, "limit": 0}
    assert found == pytest.approx([expected[name] for name in FEATURES])


def test_no_more_slots_than_layers():
    found = coordinates_of(lane(tp=1), 160, Workload("w", 1024, 256), 160, 80)
    assert found[0] == 2


def test_a_batch_below_a_quarter_is_no_other_batch():
    few, fewer = (coordinates_of(lane(tp=1, dp=8), 1, CLOSED, load, 80) for load in (2, 0.5))
    assert few[0] == fewer[0] == 0.25


def test_a_benchmark_at_its_service_level_is_placed_by_that_level():
    """40 ms at saturating load; a user's own limit places nothing and stands at one."""
    limited = Workload("w", 1000, 500, tpot_slo_s=0.04, arrival="saturating")
    assert coordinates_of(lane(), 1, limited, 8, 80)[-1] == pytest.approx(40)
    user = replace(limited, arrival="closed_loop")
    assert coordinates_of(lane(), 1, user, 8, 80)[-1] == 1


@pytest.mark.parametrize(
    ("workload", "pooled", "serving"),
    [
        (CLOSED, False, "closed_loop"),
        (CLOSED, True, "disaggregated"),
        (STATIC, False, "static"),
        (replace(CLOSED, arrival="saturating"), False, "offline"),
        (replace(CLOSED, arrival="saturating", tpot_slo_s=0.04), False, "server"),
        (replace(CLOSED, arrival="saturating", ttft_slo_s=2.0), False, "server"),
        (replace(CLOSED, tpot_slo_s=0.04), False, "closed_loop"),
    ],
)
def test_workloads_are_grouped_as_benchmarks_are(workload: Workload, pooled: bool, serving: str):
    assert serving_of(workload, pooled=pooled) == serving


def test_times_are_multiplied_by_the_exponential_of_the_correction():
    before, after = pair(Point(lane(), 1, CLOSED, 64), tpot=0.2, ttft=0.5)
    assert first(after.loop.tpot) == pytest.approx(math.exp(0.2) * first(before.loop.tpot))
    assert first(after.loop.ttft_loaded) == pytest.approx(math.exp(0.5) * first(before.loop.ttft_loaded))
    assert after.factors["tpot"] == pytest.approx(math.exp(0.2))
    assert after.factors["ttft"] == pytest.approx(math.exp(0.5))


def test_without_kin_the_physics_stands():
    """Runs on SGLang say nothing of vLLM."""
    point = Point(lane(), 1, CLOSED, 64)
    table = learnt(shifted(replace(point, lane=lane("sglang")), tpot=0.2, ttft=0.5))
    before, after = evaluated(point, physics()), evaluated(point, table)
    assert first(after.loop.tpot) == first(before.loop.tpot)
    assert first(after.loop.ttft_loaded) == first(before.loop.ttft_loaded)


def test_uncorrected_points_are_the_physics_under_a_calibration_too():
    point = Point(lane(), 1, CLOSED, 64)
    table = learnt(shifted(point, tpot=0.2))
    found = evaluate_points(LLAMA, [point], table, corrected=False)
    assert first(found.loop.tpot) == first(evaluated(point, physics()).loop.tpot)
    assert found.factors == {}


@pytest.mark.parametrize("model", [LLAMA, DEEPSEEK], ids=["dense", "experts"])
@pytest.mark.parametrize("batch", [1, 64, 500])
def test_no_correction_makes_a_token_faster_than_its_bytes(model: ModelFacts, batch: int):
    """Runs that are said to be twelve times as fast as the physics end at the floor, not below it."""
    point = Point(lane(model=model), 1, CLOSED, batch)
    found = evaluated(point, learnt(shifted(point, model, tpot=-2.5)), model)
    floor = decode_floor_s(found.models, found.lanes, found.loop.running, np.array(1250.0))
    assert first(found.loop.tpot) == pytest.approx(first(floor))


def test_corrections_beyond_a_factor_of_twelve_are_cut():
    """More is another deployment than the one described: e^2.5 = 12.2."""
    before, after = pair(Point(lane(), 1, CLOSED, 64), tpot=9.0, ttft=-9.0)
    assert first(after.loop.tpot / before.loop.tpot) == pytest.approx(math.exp(LARGEST))
    assert first(after.loop.ttft_loaded / before.loop.ttft_loaded) == pytest.approx(math.exp(-LARGEST))


@pytest.mark.parametrize("logs", [(0.3, -0.4), (-0.2, 0.6), (0.0, 0.5)])
def test_littles_law_holds_after_the_correction(logs: tuple[float, float]):
    """Concurrency = rate of requests x time of one: throughput = 64 x 500 / (TTFT + 499 TPOT)."""
    _, after = pair(Point(lane(), 1, CLOSED, 64), tpot=logs[0], ttft=logs[1])
    loop = after.loop
    cycle = first(loop.ttft_loaded) + 499 * first(loop.tpot)
    assert first(loop.throughput) == pytest.approx(64 * 500 / cycle)
    assert first(loop.e2e) == pytest.approx(cycle)
    assert first(loop.throughput_total) == pytest.approx(64 * 1500 / cycle)


def test_throughput_of_a_closed_loop_is_not_corrected_by_itself():
    before, after = pair(Point(lane(), 1, CLOSED, 64), throughput=1.0)
    assert first(after.loop.throughput) == first(before.loop.throughput)


@pytest.mark.parametrize("log", [-1.5, -0.3, 0.0, 0.3, 1.5])
@pytest.mark.parametrize("load", [1, 64, 4000])
def test_an_unloaded_first_token_comes_no_later_than_a_loaded_one_or_one_that_queues(log: float, load: int):
    _, after = pair(Point(lane(), 1, CLOSED, load), ttft=log)
    loop = after.loop
    assert 0 < first(loop.ttft_unloaded) <= first(loop.ttft_loaded) <= first(loop.ttft_saturated)


def test_a_first_token_that_queues_has_a_correction_of_its_own():
    """4,000 clients on one node: the mean with the wait for room is another quantity than the loaded one."""
    point = Point(lane(), 1, CLOSED, 4000)
    identity = place(point, LLAMA).identity.served("saturated")
    runs = [("ttft", identity, ORIGIN, 0.5)]
    table = learnt(posterior(runs, Component("group", ("metric", "serving", "software"), 1.0)))
    before, after = evaluated(point, physics()), evaluated(point, table)
    assert before.queued[0]
    assert first(after.loop.ttft_loaded) == first(before.loop.ttft_loaded)
    assert first(after.loop.ttft_saturated) == pytest.approx(
        math.exp(0.5) * first(before.loop.ttft_saturated)
    )


@pytest.mark.parametrize("arrival", ["static", "saturating"])
def test_throughput_of_a_batch_benchmark_is_corrected_by_itself(arrival: str):
    """A time per token e^0.3 as long is a rate e^-0.3 as high; TPOT and TTFT are other measurements."""
    before, after = pair(Point(lane(), 1, replace(CLOSED, arrival=arrival), 64), tpot=0.1, throughput=0.3)
    rate = math.exp(-0.3)
    assert first(after.loop.throughput) == pytest.approx(rate * first(before.loop.throughput))
    assert first(after.loop.throughput_total) == pytest.approx(rate * first(before.loop.throughput_total))
    assert first(after.loop.tpot) == pytest.approx(math.exp(0.1) * first(before.loop.tpot))


def test_a_static_batch_ends_later_by_its_throughput_and_starts_later_by_its_first_token():
    before, after = pair(Point(lane(), 1, STATIC, 64), ttft=0.2, throughput=0.3)
    assert first(after.loop.e2e) == pytest.approx(math.exp(0.3) * first(before.loop.e2e))
    assert first(after.loop.prefill_tok_s) == pytest.approx(math.exp(-0.2) * first(before.loop.prefill_tok_s))


def test_parts_of_a_time_stay_parts_of_it():
    """Interference is the same share of TPOT, wait and first wave the same shares of TTFT."""
    before, after = pair(Point(lane(), 1, CLOSED, 256), tpot=0.4, ttft=-0.3)
    for part, whole in (("interference", "tpot"), ("wait", "ttft_loaded"), ("burst", "ttft_loaded")):
        shares = [first(getattr(one.loop, part)) / first(getattr(one.loop, whole)) for one in (before, after)]
        assert shares[1] == pytest.approx(shares[0])


def test_where_no_rate_is_known_decoding_alone_is_corrected():
    """A wafer without a published rate: no first token, and throughput is that of decoding."""
    before, after = pair(Point(lane("cerebras", WSE3, tp=1), 80, CLOSED, 1), tpot=0.2, ttft=0.2)
    assert np.isnan(first(after.loop.ttft_loaded))
    assert first(after.loop.decode_throughput) == pytest.approx(
        math.exp(-0.2) * first(before.loop.decode_throughput)
    )


# ---- The grid --------------------------------------------------------------------------------------------

SOFTWARE, CHIPS, SIZES = ("vllm", "sglang", None), (H100, MI300X), ((8, 1, 1), (4, 2, 8), (1, 8, 8))
LANES = [lane(name, chip, *sizes) for name in SOFTWARE for chip in CHIPS for sizes in SIZES]
TERMS = (
    Component("software", ("metric", "software"), 0.15),
    Component("chip", ("metric", "chip", "software"), 0.2),
    Component("sweep", ("metric", "serving", "chip", "software"), 0.3, LENGTHS),
    Component(
        "sweep of software", ("metric", "software", "architecture"), 0.2, tuple(2 * n for n in LENGTHS)
    ),
)


def kin(model: ModelFacts) -> Residuals:
    """Thirty random runs of each metric on nine of the lanes: no run is without software or SGLang on AMD."""
    random = np.random.default_rng(3)
    runs = []
    for metric in METRICS:
        for _ in range(30):
            one = LANES[random.integers(9)]
            identity = place(Point(one, 1, CLOSED, 1), model).identity
            features = random.uniform(0, 10, len(LENGTHS))
            runs.append((metric, identity, features, random.normal(0, 0.5)))
    return posterior(runs, *TERMS)


@pytest.mark.parametrize("metric", ["tpot", "ttft"])
def test_corrections_of_a_block_are_those_of_its_points_one_by_one(metric: str):
    model, residuals = DEEPSEEK, kin(DEEPSEEK)
    lanes = build_lanes(LANES, physics(), np.float32)
    lane_of = np.repeat(np.arange(len(LANES)), 2)
    pp = np.tile([1, 2], len(LANES))
    batches = np.array([1.0, 8.0, 300.0])
    lengths = ((1000.0, 500.0), (8000.0, 100.0))
    identities = lane_identities(lanes, columns_of(model), "closed_loop")
    isl, osl = (np.array(column) for column in zip(*lengths, strict=True))
    (block,) = block_factors(lanes, lane_of, pp, batches, isl, osl, identities, residuals, [metric])
    assert block.shape == (len(LANES) * 2, 2, 3)
    expected = np.zeros(block.shape)
    for row, (which, stages) in enumerate(zip(lane_of, pp, strict=True)):
        for column, (prompt, answer) in enumerate(lengths):
            for place_, batch in enumerate(batches):
                workload = Workload("w", prompt, answer)
                point = Point(LANES[which], int(stages), workload, batch * LANES[which].dp * stages)
                placed = place(point, model)
                expected[row, column, place_] = residuals.correction(metric, placed.identity, placed.features)
    assert np.abs(expected).max() > 0.1
    assert np.log(block) == pytest.approx(expected, abs=1e-5)


def test_a_block_without_kin_has_no_corrections():
    one = build_lanes([lane(None, H100, 8, 1, 1)], physics())
    found = block_factors(
        one,
        np.zeros(1, np.intp),
        np.ones(1, np.int64),
        np.array([1.0]),
        np.array([1000.0]),
        np.array([500.0]),
        lane_identities(one, columns_of(LLAMA), "closed_loop"),
        posterior([], *TERMS),
        ["tpot", "ttft"],
    )
    assert found == [None, None]


@pytest.mark.parametrize("model", [LLAMA, DEEPSEEK], ids=["dense", "experts"])
def test_a_block_of_the_grid_says_what_its_points_say_under_a_calibration(model: ModelFacts):
    """TPOT, first token and throughput of every configuration that runs, to single precision."""
    table = learnt(
        kin(model), multipliers={("kernels", "any", ""): 0.2, ("host_step", "software", "vllm"): -0.3}
    )
    lanes = [one for one in LANES if model is DEEPSEEK or one.ep == 1]
    work = [Workload("short", 1000, 500), Workload("long", 8000, 100)]
    columns = WorkloadTable(
        isl=np.array([one.isl for one in work]),
        prefix=np.zeros(2),
        osl=np.array([one.osl for one in work]),
        tpot_slo=np.full(2, np.inf),
        ttft_slo=np.full(2, np.inf),
        least=np.ones(2),
        kept=[0, 1],
    )
    pending = Pending(ModelTable.of([model.architecture]))
    pending.add((0, 0), lanes, (8, 16))
    block = evaluate_block(pending, columns, table, GridSpec(stages=(1, 2), batches=(2, 16, 128)))
    where = np.argwhere(block.valid)
    points = [
        Point(
            block.lanes.lanes[block.lane_of[row]],
            int(block.pp[row]),
            work[column],
            float(block.in_flight[row, column, size]),
        )
        for row, column, size in where
    ]
    assert len(points) > 30
    found = evaluate_points(model, points, table)
    plain = evaluate_points(model, points, physics())
    assert np.abs(np.log(found.loop.tpot / plain.loop.tpot)).max() > 0.1
    at = tuple(where.T)
    for mine, theirs in (
        (block.tpot, found.loop.tpot),
        (block.ttft, found.loop.ttft_loaded),
        (block.throughput, found.loop.throughput),
    ):
        assert mine[at] == pytest.approx(theirs.reshape(-1), rel=1e-4)
