"""Bits of llama.cpp's mixes against the sizes that llama.cpp itself prints."""

from __future__ import annotations

import pytest

from estimates.core.architecture import Architecture, Attention, DenseFeedForward, LayerGroup, ParameterTerm
from estimates.core.gguf import share_of_layers
from estimates.core.memory import parameters_by_group
from estimates.core.weight_schemes import named_scheme


def llama_8b() -> Architecture:
    layer = LayerGroup(32, (Attention(32, 8, 128, 128),), (DenseFeedForward(14336),), 2 * 4096)
    norm = ParameterTerm("final norm", 4096, active=True)
    return Architecture("decoder", 4096, 128256, (layer,), 131072, tied_embeddings=False, extra=(norm,))


def bits_per_weight(name: str, architecture: Architecture) -> float:
    scheme = named_scheme(name, architecture)
    groups = parameters_by_group(architecture)
    stored = sum(size * (16 if g == "other" else scheme.group(g).bits) for g, size in groups.items())
    return stored / sum(groups.values())


# llama.cpp tools/quantize/README.md, Llama 3.1 8B, bits/weight.
PRINTED = {
    "IQ1_S": 2.0042,
    "IQ1_M": 2.1460,
    "IQ2_XXS": 2.3824,
    "IQ2_XS": 2.5882,
    "IQ2_S": 2.7403,
    "IQ2_M": 2.9294,
    "IQ3_XXS": 3.2548,
    "IQ3_XS": 3.4977,
    "IQ3_S": 3.6606,
    "IQ3_M": 3.7628,
    "IQ4_XS": 4.4597,
    "IQ4_NL": 4.6818,
    "Q2_K_S": 2.9697,
    "Q2_K": 3.1593,
    "Q3_K_S": 3.6429,
    "Q3_K_L": 4.2979,
    "Q4_K_S": 4.6672,
    "Q4_K_M": 4.8944,
    "Q5_K_S": 5.5704,
    "Q5_K_M": 5.7036,
    "Q6_K": 6.5633,
    "Q8_0": 8.5008,
}


@pytest.mark.parametrize(("name", "printed"), PRINTED.items())
def test_bits_a_weight_are_those_the_quantiser_prints(name, printed):
    # The file also holds its vocabulary as text, which the printed figure counts: 0.03 % at most.
    assert bits_per_weight(name, llama_8b()) == pytest.approx(printed, rel=3e-4)


def test_wider_layers_of_a_medium_mix():
    # 32 layers: the first 4, the last 4, and of 4..27 those with (n - 4) % 3 == 2: 6, 9, ..., 27: 8 of 24.
    assert share_of_layers("more", 32) == 16 / 32


def test_a_dynamic_eight_bit_file_of_a_dense_model_keeps_attention_wide():
    # Attention 16 bit, feed-forward Q8_0 (8.5): 1,342,177,280 and 5,637,144,576 weights of Llama 3.1 8B.
    scheme = named_scheme("UD-Q8_K_XL", llama_8b())
    assert (scheme.group("attention").bits, scheme.group("dense_ffn").bits) == (16, 8.5)


def test_tied_embeddings_are_stored_as_the_head():
    tied = Architecture(
        "decoder",
        2048,
        128256,
        (LayerGroup(16, (Attention(32, 8, 64, 64),), (DenseFeedForward(8192),), 4096),),
        131072,
        tied_embeddings=True,
    )
    scheme = named_scheme("q4_k_m", tied)
    assert scheme.group("embedding").bits == scheme.group("head").bits == 6.5625
