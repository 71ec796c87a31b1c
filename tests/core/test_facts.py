"""Facts refuse impossible values, and number formats know what computes them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from estimates.core.chip_terms import compute_rate
from estimates.core.facts import Deployment, InvalidFact, Link, MemoryTier, ModelFacts, Workload
from estimates.core.formats import FORMATS, UnknownFormat, number_format
from estimates.core.weight_schemes import NAMED_SCHEMES, named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import (
    A100,
    B200,
    H100,
    MI300X,
    MI350X,
    UNKNOWN_BANDWIDTH,
    WSE3,
    efficiency,
    offer,
)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "80", True])
def test_capacities_are_positive_and_finite(value):
    with pytest.raises(InvalidFact) as caught:
        MemoryTier(value, None, 1e12)
    assert caught.value.field == "capacity_bytes"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Workload("w", 0, 10), "isl"),
        (lambda: Workload("w", 10, math.nan), "osl"),
        (lambda: Workload("w", 10, 10, prefix_share=1.0), "prefix_share"),
        (lambda: Workload("w", 10, 10, concurrency_min=0), "concurrency_min"),
        (lambda: Link("scale_up", -1.0), "bytes_per_s"),
        (lambda: Link("sideways", 1.0), "scope"),
        (lambda: offer(count=0), "count"),
        (lambda: offer(count=2.5), "count"),
        (lambda: Deployment(tp=0), "tp"),
        (lambda: Deployment(concurrency=-3), "concurrency"),
        (lambda: replace(H100, kind="toaster"), "kind"),
        (lambda: replace(H100, rates={"fp3": 1e12}), "rates"),
        (lambda: replace(H100, rates={"fp8": math.inf}), "rates.fp8"),
        (lambda: replace(H100, tiers=()), "tiers"),
        (lambda: ModelFacts("m", "llama"), "architecture"),
    ],
)
def test_an_impossible_fact_names_its_field(make, field):
    with pytest.raises(InvalidFact) as caught:
        make()
    assert caught.value.field == field
    assert caught.value.accepted


def test_unknown_is_none():
    assert UNKNOWN_BANDWIDTH.bandwidth is None
    assert WSE3.rate("bf16") is None


def test_rates_accept_the_names_of_storage_formats():
    assert replace(H100, rates={"nvfp4": 9e15}).rate("fp4") == 9e15


@pytest.mark.parametrize(
    ("slug", "bits"),
    [
        ("bf16", 16),
        ("fp8_block", 8 + 32 / 16_384),  # an FP32 scale per 128 x 128
        ("nvfp4", 4.5),  # an FP8 scale per 16
        ("mxfp4", 4.25),  # an 8-bit scale per 32
        ("int4", 4.125),  # a 16-bit scale per 128
        ("int4_awq", 4.15625),  # and a 4-bit zero point
        ("q8_0", 8.5),  # a 16-bit scale per 32
    ],
)
def test_storage_bits_count_the_scales(slug, bits):
    assert number_format(slug).bits == bits


@pytest.mark.parametrize(
    ("chip", "storage", "rate"),
    [
        (H100, "fp8", "fp8"),
        (H100, "nvfp4", "fp8"),  # the narrowest wider format that it has
        (A100, "fp8", "bf16"),
        (A100, "nvfp4", "bf16"),
        (A100, "int8", "int8"),
        (A100, "int4", "bf16"),  # weights alone are 4 bit
        (MI300X, "mxfp4", "fp8"),
        (WSE3, "bf16", None),
        (B200, "nvfp4", "fp4"),
        (B200, "mxfp4", "fp4"),
        (MI350X, "mxfp4", "fp4"),
        (MI350X, "nvfp4", "fp8"),  # neither its FP4 nor its FP6 units take NVFP4's scales
    ],
)
def test_what_computes_a_format(chip, storage, rate):
    assert compute_rate(chip, storage, efficiency()) == rate


@pytest.mark.parametrize("slug", NAMED_SCHEMES)
def test_named_schemes_use_registered_formats(slug):
    for architecture in (llama_70b(), deepseek_v3()):
        scheme = named_scheme(slug, architecture)
        assert scheme.slug == slug
        assert scheme.kv in FORMATS


def test_four_bit_mixtures_of_experts_keep_attention_wide():
    scheme = named_scheme("nvfp4", deepseek_v3())
    assert (scheme.routed_experts, scheme.attention, scheme.head) == ("nvfp4", "bf16", "bf16")
    assert named_scheme("nvfp4", llama_70b()).attention == "nvfp4"


def test_an_unknown_format_lists_the_known():
    with pytest.raises(UnknownFormat) as caught:
        named_scheme("fp3", llama_70b())
    assert "fp8" in caught.value.accepted
