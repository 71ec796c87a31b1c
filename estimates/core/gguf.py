"""llama.cpp's quantisation mixes: bits a weight of each tensor group, by the rules of its quantiser.

A mix is named by the type of most matrices; the quantiser stores some tensors wider: values and the
down-projection in part of the layers, the head nearly always (`llama_tensor_get_type_impl` in
`src/llama-quant.cpp`; rules for Falcon, for fused attention tensors and for importance matrices are left
out). Bits of the tensor types follow from their block layouts (`ggml-common.h`). Unsloth's dynamic mixes
(`_xl`) publish no rule: theirs are set so that printed file sizes come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: Bits a weight of ggml's tensor types, block scales included.
TYPE_BITS: Mapping[str, float] = {
    "f16": 16.0,
    "q8_0": 8.5,
    "q6_k": 6.5625,
    "q5_1": 6.0,
    "q5_0": 5.5,
    "q5_k": 5.5,
    "q4_1": 5.0,
    "q4_0": 4.5,
    "q4_k": 4.5,
    "q3_k": 3.4375,
    "q2_k": 2.625,
    "iq4_nl": 4.5,
    "iq4_xs": 4.25,
    "iq3_s": 3.4375,
    "iq3_xxs": 3.0625,
    "iq2_s": 2.5625,
    "iq2_xs": 2.3125,
    "iq2_xxs": 2.0625,
    "iq1_m": 1.75,
    "iq1_s": 1.5625,
    "tq2_0": 2.0625,
    "tq1_0": 1.6875,
}

#: Bits a weight of whole files of Llama 3.1 8B (tools/quantize/README.md; where it prints none, from the
#: rules below): the nominal bits by which a mix is compared with other formats.
README_BITS: Mapping[str, float] = {
    "q8_0": 8.5,
    "q8_k_xl": 9.5,
    "q6_k": 6.5625,
    "q6_k_xl": 7.0,
    "q6_k_l": 6.7,
    "q5_k_m": 5.70,
    "q5_k_s": 5.57,
    "q5_k_l": 5.8,
    "q5_k_xl": 5.8,
    "q5_0": 5.57,
    "q5_1": 6.05,
    "q4_k_m": 4.89,
    "q4_k_s": 4.67,
    "q4_k_l": 5.0,
    "q4_k_xl": 4.96,
    "q4_0": 4.64,
    "q4_1": 5.12,
    "q3_k_xl": 4.1,
    "q3_k_l": 4.30,
    "q3_k_m": 4.00,
    "q3_k_s": 3.64,
    "q2_k_xl": 3.3,
    "q2_k": 3.16,
    "q2_k_s": 2.97,
    "iq4_nl": 4.68,
    "iq4_xs": 4.46,
    "iq3_m": 3.76,
    "iq3_s": 3.66,
    "iq3_xs": 3.50,
    "iq3_xxs": 3.25,
    "iq2_m": 2.93,
    "iq2_s": 2.74,
    "iq2_xs": 2.59,
    "iq2_xxs": 2.38,
    "iq1_m": 2.15,
    "iq1_s": 2.00,
    "tq2_0": 2.4,
    "tq1_0": 2.1,
}

Where = Literal["all", "more", "first_eighth"]


@dataclass(frozen=True, slots=True)
class Mix:
    """Tensor types of one mix; `value` and `down` hold in the share of layers that their second part names.

    `value_grouped` stands for values shared by at least four query heads, which are a small tensor.
    """

    base: str
    value: tuple[str, Where] | None = None
    value_grouped: str | None = None
    output: str | None = None
    down: tuple[str, Where] | None = None
    query_and_key: str | None = None
    gate_and_up: str | None = None  # in the middle three quarters of the layers
    embedding: str | None = None
    head: str | None = None  # None: Q6_K, or the base where that is wider


MIXES: Mapping[str, Mix] = {
    "q8_0": Mix("q8_0"),
    "q6_k": Mix("q6_k"),
    "q6_k_l": Mix("q6_k", embedding="q8_0", head="q8_0"),
    "q5_k_m": Mix("q5_k", value=("q6_k", "more"), down=("q6_k", "more")),
    "q5_k_l": Mix("q5_k", value=("q6_k", "more"), down=("q6_k", "more"), embedding="q8_0", head="q8_0"),
    "q5_k_s": Mix("q5_k"),
    "q5_0": Mix("q5_0"),
    "q5_1": Mix("q5_1"),
    "q4_k_m": Mix("q4_k", value=("q6_k", "more"), down=("q6_k", "more")),
    "q4_k_l": Mix("q4_k", value=("q6_k", "more"), down=("q6_k", "more"), embedding="q8_0", head="q8_0"),
    "q4_k_s": Mix("q4_k", value=("q5_k", "first_eighth"), down=("q5_k", "first_eighth")),
    "q4_0": Mix("q4_0"),
    "q4_1": Mix("q4_1"),
    "q3_k_l": Mix("q3_k", value=("q5_k", "all"), output="q5_k", down=("q5_k", "all")),
    "q3_k_m": Mix("q3_k", value=("q4_k", "all"), output="q4_k", down=("q4_k", "all")),
    "q3_k_s": Mix("q3_k"),
    "q2_k": Mix("q2_k", value=("q3_k", "all"), value_grouped="q4_k", output="q3_k", down=("q3_k", "all")),
    "q2_k_s": Mix("q2_k", value_grouped="q4_k", down=("q4_k", "first_eighth")),
    "iq4_nl": Mix("iq4_nl", value_grouped="q5_k", down=("q5_k", "first_eighth")),
    "iq4_xs": Mix("iq4_xs", value_grouped="q5_k", down=("q5_k", "first_eighth")),
    "iq3_m": Mix("iq3_s", value=("q4_k", "all"), output="q4_k", down=("q4_k", "first_eighth")),
    "iq3_s": Mix("iq3_s", value_grouped="q4_k"),
    "iq3_xs": Mix("iq3_s", value_grouped="q4_k", query_and_key="iq3_xxs", gate_and_up="iq3_xxs"),
    "iq3_xxs": Mix(
        "iq3_xxs",
        value_grouped="q4_k",
        output="iq3_s",
        query_and_key="iq2_s",
        embedding="iq3_s",
        head="q5_k",
    ),
    "iq2_m": Mix(
        "iq2_s",
        value=("iq3_s", "all"),
        value_grouped="q4_k",
        output="iq3_s",
        down=("iq3_s", "first_eighth"),
        embedding="iq3_s",
        head="q5_k",
    ),
    "iq2_s": Mix(
        "iq2_xs",
        value=("iq3_s", "all"),
        value_grouped="q4_k",
        output="iq3_s",
        down=("iq3_s", "first_eighth"),
        embedding="iq3_s",
        head="q5_k",
    ),
    "iq2_xs": Mix(
        "iq2_xs",
        value=("q2_k", "all"),
        value_grouped="q4_k",
        down=("q2_k", "first_eighth"),
        embedding="q2_k",
        head="q5_k",
    ),
    "iq2_xxs": Mix(
        "iq2_xxs",
        value=("q2_k", "all"),
        value_grouped="q4_k",
        down=("q2_k", "first_eighth"),
        embedding="q2_k",
        head="q5_k",
    ),
    "iq1_m": Mix(
        "iq1_m",
        value=("q2_k", "all"),
        value_grouped="q4_k",
        output="iq2_xxs",
        down=("q2_k", "first_eighth"),
        embedding="q2_k",
        head="q5_k",
    ),
    "iq1_s": Mix(
        "iq1_s",
        value=("q2_k", "all"),
        value_grouped="q4_k",
        output="iq2_xxs",
        down=("q2_k", "first_eighth"),
        embedding="q2_k",
        head="q5_k",
    ),
    "tq2_0": Mix("tq2_0", embedding="q4_k"),
    "tq1_0": Mix("tq1_0", embedding="q4_k"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rules ask of a model; shares are of the attention's parameters, `down` of a feed-forward's."""

    layers: int
    experts: int
    grouped: bool  # at least four query heads share a value
    tied: bool
    query_and_key: float
    value: float
    output: float
    down: float


@dataclass(frozen=True, slots=True)
class MixBits:
    """Bits a weight of each tensor group."""

    embedding: float
    attention: float
    feed_forward: float
    head: float


def share_of_layers(where: Where, layers: int) -> float:
    """Share of the layers that a rule names (`use_more_bits` of the quantiser: half of them, roughly)."""
    if where == "all":
        return 1.0
    eighth = layers // 8
    if where == "first_eighth":
        return eighth / layers
    wide = sum(1 for n in range(layers) if n < eighth or n >= 7 * layers // 8 or (n - eighth) % 3 == 2)
    return wide / layers


def _part(base: float, wide: tuple[str, Where] | None, layers: int) -> float:
    if wide is None:
        return base
    share = share_of_layers(wide[1], layers)
    return share * TYPE_BITS[wide[0]] + (1 - share) * base


def mix_bits(slug: str, shape: Shape) -> MixBits:
    """Bits a weight of each tensor group of a mix in `MIXES` for a model of this shape."""
    mix = MIXES[slug]
    base = TYPE_BITS[mix.base]
    value = mix.value
    if mix.value_grouped and shape.grouped:
        value = (mix.value_grouped, "all")
    value_bits = _part(base, value, shape.layers)
    query = TYPE_BITS[mix.query_and_key] if mix.query_and_key else base
    output = TYPE_BITS[mix.output] if mix.output else base
    if shape.experts == 8:  # the rules for eight experts: keys and values Q8_0, output at least Q5_K
        value_bits = max(value_bits, TYPE_BITS["q8_0"])
        output = max(output, TYPE_BITS["q5_k"])
    rest = 1 - shape.query_and_key - shape.value - shape.output
    attention = shape.query_and_key * query + shape.value * value_bits + shape.output * output + rest * base
    wide = base
    if mix.gate_and_up:
        wide = 0.25 * base + 0.75 * TYPE_BITS[mix.gate_and_up]
    feed_forward = shape.down * _part(base, mix.down, shape.layers) + (1 - shape.down) * wide
    head = TYPE_BITS[mix.head] if mix.head else max(base, TYPE_BITS["q6_k"])
    embedding = head if shape.tied else TYPE_BITS[mix.embedding] if mix.embedding else base
    return MixBits(embedding, attention, feed_forward, head)


@dataclass(frozen=True, slots=True)
class DynamicMix:
    """An Unsloth dynamic mix: routed experts of one size, all other layers of another; a dense model's apart.

    Fitted to file sizes that llama-bench prints: Qwen3.6-27B Q4_K_XL 16.39 and Q8_K_XL 32.89 GiB,
    Qwen3.6-35B-A3B 20.81 and 35.80 GiB, gemma-4-26B-A4B 15.90 and 25.94 GiB, GLM-4.5-Air Q4_K_XL 68.01 GiB.
    """

    experts: float
    others: float
    attention: float  # of a dense model
    feed_forward: float  # of a dense model
    ends: float  # embedding and head


DYNAMIC: Mapping[str, DynamicMix] = {
    # Q8_0 experts, embedding and head; the rest 16 bit: 9.0 bits a weight of Qwen3.6-35B-A3B, 8.87 printed.
    "q8_k_xl": DynamicMix(8.5, 16.0, 16.0, 8.5, 8.5),
    "q6_k_xl": DynamicMix(6.5625, 8.5, 8.5, 6.5625, 8.5),
    "q5_k_xl": DynamicMix(5.7, 8.5, 6.5625, 5.7, 6.5625),
    # Experts Q4_K, half of the down-projections wider: 5.2 bits a weight of Qwen3.6-35B-A3B, 5.16 printed.
    "q4_k_xl": DynamicMix(4.84, 8.5, 5.5, 4.84, 6.5625),
    "q3_k_xl": DynamicMix(3.75, 6.5625, 4.5, 3.75, 5.5),
    "q2_k_xl": DynamicMix(2.9, 5.5, 3.4375, 2.9, 4.5),
}
