"""Names of storage formats and the tensor groups they stand for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from estimates.core.architecture import (
    Architecture,
    Attention,
    GatedDeltaNet,
    LayerGroup,
    MixtureOfExperts,
)
from estimates.core.deployments import on_chip, resolve_kv, resolve_scheme, schemes_for
from estimates.core.facts import ModelFacts
from estimates.core.formats import FORMATS, UnknownFormat, WeightScheme, in_integers
from estimates.core.memory import group_bytes, parameters_by_group
from estimates.core.weight_schemes import canonical_kv, canonical_scheme, named_scheme
from tests.core.architectures import deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.machines import B200, H100, efficiency


def hybrid() -> Architecture:
    experts = MixtureOfExperts(64, 4, 512, shared_intermediate=512)
    linear = LayerGroup(3, (GatedDeltaNet(16, 32, 128, 128, 4),), (experts,))
    full = LayerGroup(1, (Attention(16, 2, 256, 256, output_gate=True),), (experts,))
    return Architecture("decoder", 2048, 32000, (linear, full), 4096, tied_embeddings=False)


def plain_mixture() -> Architecture:
    layer = LayerGroup(4, (Attention(32, 4, 128, 128),), (MixtureOfExperts(64, 4, 512),))
    return Architecture("decoder", 2048, 32000, (layer,), 4096, tied_embeddings=False)


@pytest.mark.parametrize(
    ("printed", "canonical"),
    [
        ("Q4_K_M", "q4_k_m"),
        ("UD-Q4_K_XL", "q4_k_xl"),
        ("i1-Q4_K_M", "q4_k_m"),
        ("NVFP4", "nvfp4"),
        ("fp4", "nvfp4"),
        ("float16", "fp16"),
        ("FP8_E4M3", "fp8"),
        ("w4a16", "int4"),
        ("W8A8", "int8"),
        ("awq", "int4_awq"),
        ("gptq-int4", "int4"),
        ("exl2_4.0bpw", "exl2_4.0bpw"),
        ("exl2_4bpw", "exl2_4.0bpw"),
        ("bfp4_mlp_bfp8_attn", "bfp4_mlp_bfp8_attn"),
    ],
)
def test_a_format_is_known_however_it_is_printed(printed, canonical):
    assert canonical_scheme(printed) == canonical


@pytest.mark.parametrize("unknown", ["fp3", "", "exl2_9bpw", "q4_k_z", None, 4])
def test_an_unknown_format_is_refused_with_the_known(unknown):
    with pytest.raises(UnknownFormat) as caught:
        canonical_scheme(unknown)
    assert "exl2_<bits>bpw" in caught.value.accepted


def test_an_unknown_cache_format_is_refused_with_the_known():
    with pytest.raises(UnknownFormat) as caught:
        canonical_kv("fp5")
    assert "fp8" in caught.value.accepted
    assert resolve_kv("fp8_e4m3", named_scheme("bf16", llama_70b()), H100) == "fp8"


def test_mxfp4_of_a_mixture_stores_the_experts_alone():
    scheme = named_scheme("mxfp4", gpt_oss_120b())
    assert (scheme.routed_experts, scheme.attention, scheme.embedding, scheme.head) == (
        "mxfp4",
        "bf16",
        "bf16",
        "bf16",
    )


@pytest.mark.parametrize(
    ("architecture", "attention", "shared"),
    [
        (deepseek_v3(), "bf16", "nvfp4"),  # latent attention
        (hybrid(), "bf16", "bf16"),  # recurrent mixers: experts only
        (plain_mixture(), "nvfp4", "nvfp4"),
        (llama_70b(), "nvfp4", "nvfp4"),
    ],
)
def test_nvfp4_leaves_wide_what_its_publisher_leaves_wide(architecture, attention, shared):
    scheme = named_scheme("nvfp4", architecture)
    assert (scheme.routed_experts, scheme.attention, scheme.shared_experts) == ("nvfp4", attention, shared)


def test_block_float_of_the_gate_and_up_projections():
    # Two of three matrices BFP4 (4.5 bits with the shared exponent), one BFP8 (8.5): 17.5 / 3.
    scheme = named_scheme("bfp4_mlp_bfp8_attn", llama_70b())
    assert scheme.group("dense_ffn").bits == pytest.approx(17.5 / 3)
    assert (scheme.attention, scheme.head, scheme.kv) == ("bfp8", "bfp8", "bfp8")


def test_exllama_is_named_by_its_average_bits():
    scheme = named_scheme("exl2_2.5bpw", llama_70b())
    assert (scheme.group("attention").bits, scheme.group("head").bits) == (2.5, 6.0)


def test_true_bits_of_a_group_are_what_is_read():
    # Attention of DeepSeek-V3.1-NVFP4 mixes NVFP4 and bf16: 8.78 bits, not 4.5.
    mixed = WeightScheme("nvfp4", attention="nvfp4", bits=(("attention", 8.781786),))
    size = parameters_by_group(deepseek_v3())["attention"]
    assert group_bytes(deepseek_v3(), mixed)["attention"] == pytest.approx(size * 8.781786 / 8)


@pytest.mark.parametrize("bits", [(("attention", 0),), (("attention", 65),), (("router", 8),)])
def test_impossible_bits_are_refused(bits):
    with pytest.raises(UnknownFormat):
        WeightScheme("x", bits=bits)


def test_a_group_turned_into_integers_loses_its_own_bits():
    scheme = WeightScheme("x", attention="int4", bits=(("attention", 4.25), ("head", 12.5)))
    assert in_integers(scheme).bits == (("attention", 4.25),)


def test_a_published_checkpoint_goes_before_the_usual_groups():
    published = WeightScheme("nvfp4", attention="nvfp4", routed_experts="nvfp4", bits=(("attention", 8.78),))
    native = named_scheme("fp8_block", deepseek_v3())
    model = ModelFacts("m", deepseek_v3(), native, (published,))
    assert resolve_scheme("nvfp4", model) is published
    assert resolve_scheme("fp4", model) is published
    assert resolve_scheme("fp8", model) is native  # block FP8 is what people call the model's FP8
    assert published in schemes_for(model, B200, efficiency())


def test_files_for_personal_machines_quantise_embedding_and_head_too():
    scheme = named_scheme("int4", llama_70b())
    assert (on_chip(scheme, replace(H100, kind="soc")).head, on_chip(scheme, H100).head) == ("int8", "bf16")


def test_every_format_has_bits_and_something_that_computes_it():
    for number_format in FORMATS.values():
        assert 0 < number_format.bits <= 32
        assert number_format.compute
