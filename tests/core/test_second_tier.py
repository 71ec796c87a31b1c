"""Memory behind the first tier: what is moved there, how fast it is read, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, MemoryTier, ModelFacts, Workload
from estimates.core.lanes import Lane, Variant
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import gpt_oss_120b, llama_70b
from tests.core.machines import CORSAIR, H100, WSE3, efficiency, ideal, offer

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
OSS = ModelFacts("gpt-oss-120b", gpt_oss_120b())
BF16 = named_scheme("bf16", llama_70b())
WORK = Workload("w", 1000, 1000)
#: 96 GB at 4 TB/s before 480 GB at 450 GB/s: one superchip of processor and GPU.
SUPERCHIP = replace(H100, tiers=(MemoryTier(96e9, None, 4e12), MemoryTier(480e9, None, 450e9)))


def at(*, model=LLAMA, chip=SUPERCHIP, scheme=BF16, requests=1.0, offload=True, table=None) -> Evaluated:
    lane = Lane(Variant(chip, None, None), scheme, "bf16", 1, 1, 1)
    point = Point(lane, 1, WORK, requests, offload=offload)
    return evaluate_points(model, [point], table or ideal(), corrected=False)


def tpot(evaluated: Evaluated) -> float:
    return float(evaluated.loop.tpot.reshape(-1)[0])


def ask(model=LLAMA, on=None, workload=WORK, **deployment):
    asked = Deployment(**{"weights": "bf16", "concurrency": 1, **deployment})
    return evaluate_one(model, on or offer(SUPERCHIP, 1, None), workload, asked, efficiency())


def test_each_part_is_read_at_the_bandwidth_of_its_tier():
    """Llama 70B in 16 bit: 80 x 855,638,016 + 128,256 x 8,192 parameters are read a token, and the cache of

    1,500 tokens, 4,096 bytes each and layer. What lies behind is read at 450 GB/s, the rest at 4 TB/s.
    """
    found = at()
    behind = float(found.spill.whole[0])
    read = 2 * (80 * (150_994_944 + 704_643_072) + 128_256 * 8192) + 1500 * 2 * 2 * 8 * 128 * 80
    assert tpot(found) == pytest.approx((read - behind) / 4e12 + behind / 450e9, rel=0.005)


def test_behind_lies_what_the_first_tier_does_not_hold():
    """Weights, reserve, workspace and the one request's cache over 0.9 of 96 GB."""
    found, memory = at(), at().memory
    first = 0.9 * 96e9
    needed = found.weights[0] * (1 + memory.reserve_share[0]) + memory.workspace[0] + memory.reserve_fixed[0]
    assert found.spill.whole[0] == pytest.approx(needed + found.cache_per_request[0] - first, rel=1e-9)


def test_routed_experts_are_moved_before_anything_else():
    """gpt-oss-120b in 16 bit, 233 GB of which 229 are experts: what is over the first tier are experts alone,

    and of those a token reads 4 of 128: 3 x 2,880 x 2,880 x 2 bytes each in 36 layers.
    """
    found = at(model=OSS, scheme=named_scheme("bf16", gpt_oss_120b()))
    spill = found.spill
    assert spill.experts[0] > 100e9
    assert spill.layers[0] == spill.ends[0] == spill.cache[0] == 0
    plain = at(
        model=OSS,
        scheme=named_scheme("bf16", gpt_oss_120b()),
        chip=replace(H100, tiers=(MemoryTier(400e9, None, 4e12),)),
        offload=False,
    )
    touched = 36 * 4 * 3 * 2880 * 2880 * 2
    extra = touched * float(spill.shares["experts"][0]) * (1 / 450e9 - 1 / 4e12)
    assert tpot(found) - tpot(plain) == pytest.approx(extra, rel=0.01)


def test_caches_follow_where_weights_do_not_fill_the_second_tier():
    found = at(requests=400)
    assert found.spill.cache[0] > 0
    assert found.spill.weights[0] == pytest.approx(found.weights[0], rel=1e-9)


def test_what_fits_in_the_first_tier_is_read_from_there():
    """FP8: 71 GB and one request fit; asking for the second tier changes no time."""
    fp8 = named_scheme("fp8", llama_70b())
    with_tier, without = at(scheme=fp8), at(scheme=fp8, offload=False)
    assert with_tier.spill.whole[0] == 0
    assert tpot(with_tier) == tpot(without)
    assert with_tier.capacity[0] > without.capacity[0]


@given(bandwidth=st.floats(1e9, 1e14), requests=st.sampled_from([1, 16, 128]))
@settings(max_examples=20, deadline=None)
def test_the_second_tier_is_never_faster_than_the_first(bandwidth, requests):
    chip = replace(SUPERCHIP, tiers=(SUPERCHIP.tiers[0], MemoryTier(480e9, None, bandwidth)))
    roomy = replace(SUPERCHIP, tiers=(MemoryTier(960e9, None, 4e12),))
    behind = at(chip=chip, requests=requests, table=efficiency())
    first = at(chip=roomy, requests=requests, offload=False, table=efficiency())
    assert tpot(behind) >= tpot(first) * (1 - 1e-9)


@given(low=st.floats(1e10, 4e12), high=st.floats(1e10, 4e12))
@settings(max_examples=20, deadline=None)
def test_a_faster_second_tier_is_never_slower(low, high):
    low, high = sorted((low, high))
    slow, fast = (
        at(chip=replace(SUPERCHIP, tiers=(SUPERCHIP.tiers[0], MemoryTier(480e9, None, speed))))
        for speed in (low, high)
    )
    assert tpot(fast) <= tpot(slow) * (1 + 1e-9)


def test_the_answer_says_what_lies_where():
    found = ask(offload="second_tier")
    assert found.state == "ok"
    assert found.second_tier["weights"] + found.memory["weights"] == pytest.approx(141.1e9, rel=0.01)
    assert found.second_tier["bandwidth"] == 450e9
    parts = ("weights", "cache", "workspace", "reserve", "outside_usable_share", "free")
    assert sum(found.memory[name] for name in parts) == pytest.approx(found.memory["capacity"], rel=1e-9)
    assert any("second memory tier, routed experts first" in line for line in found.assumptions)
    assert any(line.startswith("second tier = ") for line in found.formulas)


def test_an_assumed_bandwidth_behind_is_grade_d_where_something_lies_there():
    """A figure that nobody published decides nearly all of the time."""
    tiers = (SUPERCHIP.tiers[0], replace(SUPERCHIP.tiers[1], assumed=True))
    assumed = offer(replace(SUPERCHIP, tiers=tiers), 1, None)
    assert ask(offload="second_tier").grade in "ABC"
    assert ask(on=assumed, offload="second_tier").grade == "D"
    assert ask(on=assumed, offload="second_tier", weights="fp8").grade in "ABC"  # fits without


def test_what_does_not_fit_names_the_second_tier_that_would_hold_it():
    found = ask()
    assert found.state == "does_not_fit"
    assert found.smallest_change.kind == "second_tier"
    assert ask(offload="second_tier").state == "ok"


def test_a_second_tier_of_unknown_bandwidth_is_refused_by_name():
    """MemoryX behind a wafer: capacity without a published bandwidth."""
    wafer = replace(WSE3, tiers=(WSE3.memory, MemoryTier(1.2e15, None, None)))
    found = ask(on=offer(wafer, 1, None), offload="second_tier")
    assert found.state == "refused"
    assert found.missing_facts == ("second_tier_bandwidth",)


def test_a_chip_with_one_tier_has_none_behind():
    found = ask(on=offer(H100, 1, None), offload="second_tier")
    assert found.missing_facts == ("second_tier_capacity",)


def test_a_machine_of_static_memory_runs_a_model_out_of_what_lies_behind():
    """8 cards of 2 GB before 256 GB at 400 GB/s: 70 GB in 8 bits lie behind for the most part."""
    card = replace(CORSAIR, tiers=(CORSAIR.memory, MemoryTier(256e9, None, 400e9)))
    found = ask(on=offer(card, 8, None), weights="int8", offload="second_tier")
    assert found.state == "ok"
    assert found.tpot_s > 8 * found.second_tier["weights"] / 400e9  # stages follow one another
