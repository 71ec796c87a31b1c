"""Physical multipliers: factors on times of like operations, bounded by the datasheet."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.core.chip_terms import GEMM_GROUPS, compute_rate
from estimates.core.facts import ModelFacts, Workload
from estimates.core.floor import decode_floor_s
from estimates.core.lanes import Lane, Lanes, Variant, build_lanes
from estimates.core.lowering import lower
from estimates.core.multipliers import FAMILIES, factors_of, scale_columns
from estimates.core.points import Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.learnt import learnt
from tests.core.machines import A100, B200, H100, MI300X, NVLINK_4, physics

LLAMA = ModelFacts("llama", llama_70b())
DEEPSEEK = ModelFacts("deepseek", deepseek_v3())


def lane(software: str | None = "vllm", chip=H100, scheme="fp8", tp=8, dp=1, ep=1, model=deepseek_v3) -> Lane:
    return Lane(
        Variant(chip, NVLINK_4, NVLINK_4), named_scheme(scheme, model()), "bf16", tp, dp, ep, software
    )


def built(*lanes: Lane, dtype=np.float64, **multipliers: float) -> Lanes:
    logs = {(family, "any", ""): log for family, log in multipliers.items()}
    return build_lanes(list(lanes), learnt(multipliers=logs), dtype)


def first(values) -> float:
    return float(np.asarray(values).reshape(-1)[0])


def test_a_factor_is_that_of_all_lanes_times_the_softwares_own():
    logs = {("kernels", "any", ""): 0.2, ("kernels", "software", "vllm"): 0.1}
    assert factors_of(logs, "vllm") == {"kernels": pytest.approx(math.exp(0.3))}
    assert factors_of(logs, "sglang") == {"kernels": pytest.approx(math.exp(0.2))}
    assert factors_of(logs, None) == {"kernels": pytest.approx(math.exp(0.2))}


def test_families_at_one_are_left_out():
    assert factors_of({("kernels", "software", "vllm"): 0.1}, "sglang") == {}


def test_columns_of_a_family_are_scaled_for_its_software_alone():
    """Kernels at 2.5 us: 2 x as long on vLLM, as they were on SGLang."""
    logs = {("kernels", "software", "vllm"): math.log(2)}
    found = build_lanes([lane("vllm"), lane("sglang")], learnt(multipliers=logs))
    plain = build_lanes([lane("vllm"), lane("sglang")], physics())
    assert found["kernel_us"].reshape(-1) == pytest.approx(plain["kernel_us"].reshape(-1) * [2, 1])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_lengthens_times(family: str):
    """Twice the time in each of its columns; a share that divides is halved instead."""
    spread = lane(tp=1, dp=8, ep=8)
    for one in (lane(), spread):
        plain, found = built(one), built(one, **{family: math.log(2)})
        for name in FAMILIES[family]:
            factor = 0.5 if family == "elementwise" else 2.0
            assert first(found[name]) == pytest.approx(factor * first(plain[name]))


def test_columns_of_other_families_stay():
    plain, found = built(lane()), built(lane(), product_start=1.0)
    for family, names in FAMILIES.items():
        if family != "product_start":
            for name in names:
                assert first(found[name]) == first(plain[name])


def test_without_multipliers_nothing_is_touched():
    columns = {"inverse_bandwidth": np.ones((1, 1, 1)), "kernel_us": np.ones((1, 1, 1))}
    kept = dict(columns)
    scale_columns(columns, ["vllm"], {})
    assert all(columns[name] is kept[name] for name in kept)


def test_single_precision_stays_single():
    found = built(lane(), dtype=np.float32, kernels=0.3, product_memory=0.1)
    assert {found[name].dtype for name in ("kernel_us", "attention.inverse_memory")} == {np.dtype("float32")}


@pytest.mark.parametrize("chip", [H100, A100, B200, MI300X], ids=lambda chip: chip.slug)
@pytest.mark.parametrize("scheme", ["bf16", "fp8", "int4"])
def test_no_multiplier_makes_a_rate_exceed_the_datasheet(chip, scheme: str):
    """Every time a thousandth: bytes still take 1 / bandwidth, products 1 / peak (shares end at 0.95)."""
    one = lane(chip=chip, scheme=scheme)
    found = built(one, **dict.fromkeys(FAMILIES, -7.0))
    bandwidth = chip.memory.bandwidth
    for group in GEMM_GROUPS:
        assert first(found[f"{group}.inverse_memory"]) >= 1 / bandwidth * (1 - 1e-12)
        fastest = max(rate for _, rate in chip.rates)
        assert first(found[f"{group}.inverse_compute"]) >= 1 / fastest * (1 - 1e-12)
    assert first(found["decode_inverse_memory"]) >= 1 / bandwidth * (1 - 1e-12)
    sixteen = chip.rate(compute_rate(chip, "bf16", physics()))
    assert first(found["prefill_inverse_compute"]) >= 1 / sixteen * (1 - 1e-12)


def test_shares_of_peak_leave_room_for_the_least_factor_of_arithmetic():
    """0.95 of a time whose share of peak is at most 0.95 keeps within the peak. No family scales the

    arithmetic of decode attention.
    """
    scaled = [fit.eff_compute for key, fit in physics().operators.items() if key[1] != "attention_decode"]
    assert max(scaled) <= 0.95
    assert not any("decode_inverse_compute" in columns for columns in FAMILIES.values())


@pytest.mark.parametrize("model", [LLAMA, DEEPSEEK], ids=["dense", "experts"])
def test_a_token_never_comes_faster_than_its_bytes_whatever_the_multipliers(model: ModelFacts):
    one = lane(model=lambda: model.architecture)
    table = learnt(multipliers={(family, "any", ""): -7.0 for family in FAMILIES})
    for batch in (1, 32, 512):
        found = evaluate_points(model, [Point(one, 1, Workload("w", 1000, 1000), batch)], table)
        floor = decode_floor_s(found.models, found.lanes, found.loop.running, np.array(1500.0))
        assert first(found.loop.tpot) >= first(floor) * (1 - 1e-9)


def test_multipliers_know_neither_chip_nor_model():
    """Kernels 1.5 x as long: the same seconds more for every chip, as many as the model has kernels."""
    for model in (LLAMA, DEEPSEEK):
        for chip in (H100, MI300X):
            one = replace(lane(chip=chip, model=lambda model=model: model.architecture))
            before, after = (
                evaluate_points(model, [Point(one, 1, Workload("w", 1000, 1000, arrival="static"), 8)], table)
                for table in (physics(), learnt(multipliers={("kernels", "any", ""): math.log(1.5)}))
            )
            lanes, shape = before.lanes, lower(model.architecture)
            kernels = (
                first(lanes["kernels_dense_layer"]) * shape.dense_layers
                + first(lanes["kernels_expert_layer"]) * shape.expert_layers
                + first(lanes["kernels_latent_layer"]) * shape.latent_or_sparse_layers
            )
            more = first(after.loop.tpot) - first(before.loop.tpot)
            assert more == pytest.approx(0.5 * kernels * first(lanes["kernel_us"]))
