"""What a checkpoint of a named format stores in each tensor group of an architecture.

The names are those that measurements and checkpoints print (`fp8`, `NVFP4`, `Q4_K_M`, `w4a16`,
`exl2_4.0bpw`). A scheme here is what such checkpoints usually hold; the tensor groups of one that was
published are facts of the model (`ModelFacts.native` and `ModelFacts.published`) and go before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    LatentAttention,
    MixtureOfExperts,
)
from estimates.core.formats import FORMATS, UnknownFormat, WeightScheme
from estimates.core.gguf import DYNAMIC, MIXES, Shape, mix_bits
from estimates.core.parameters import mixer_terms

NAMED_SCHEMES: tuple[str, ...] = (
    "fp32",
    "bf16",
    "fp16",
    "fp8",
    "fp8_block",
    "mxfp8",
    "fp6",
    "int8",
    "nvfp4",
    "mxfp4",
    "int2",
    "int3",
    "int4",
    "int4_awq",
    "int5",
    "int6",
    "nf4",
    "bfp8",
    "bfp4",
    "bfp8_mlp",
    "bfp4_mlp_bfp8_attn",
    *MIXES,
    *DYNAMIC,
)
_EXL2 = re.compile(r"^exl[23]_(\d(?:\.\d{1,3})?)(?:bpw)?$")
#: What an unknown name is answered with.
ACCEPTED: tuple[str, ...] = (*NAMED_SCHEMES, "exl2_<bits>bpw")

#: Other names of the same storage.
SCHEME_ALIASES: Mapping[str, str] = {
    "float32": "fp32",
    "f32": "fp32",
    "bfloat16": "bf16",
    "float16": "fp16",
    "f16": "fp16",
    "half": "fp16",
    "w16a16": "bf16",
    "fp8_e4m3": "fp8",
    "fp8_e5m2": "fp8",
    "float8": "fp8",
    "f8": "fp8",
    "fp8_dynamic": "fp8",
    "fp8_per_tensor": "fp8",
    "fp8_per_channel": "fp8",
    "w8a8_fp8": "fp8",
    "w8a8_fp": "fp8",
    "ptpc_fp8": "fp8",
    "blockwise_fp8": "fp8_block",
    "block_fp8": "fp8_block",
    "fp8_blockwise": "fp8_block",
    "fp8_128x128": "fp8_block",
    "w8a8": "int8",
    "w8a16": "int8",
    "int8_wo": "int8",
    "int8_weight_only": "int8",
    "smoothquant": "int8",
    "w8a8_int8": "int8",
    "gptq_int8": "int8",
    "int8_gptq": "int8",
    "fp4": "nvfp4",
    "nvfp4_w4a4": "nvfp4",
    "nvfp4_w4a16": "nvfp4",
    "mx_fp4": "mxfp4",
    "mxfp4_moe": "mxfp4",
    "w4a16": "int4",
    "w4a8": "int4",
    "w4": "int4",
    "int4_wo": "int4",
    "gptq": "int4",
    "gptq_int4": "int4",
    "int4_gptq": "int4",
    "4bit": "int4",
    "awq": "int4_awq",
    "awq_int4": "int4_awq",
    "3bit": "int3",
    "5bit": "int5",
    "6bit": "int6",
    "8bit": "int8",
    "w6a6": "fp6",
    "mxfp6": "fp6",
    "bnb_nf4": "nf4",
    "bfp8_mlp_bf16_attn": "bfp8_mlp",
    "bfp4_mlp": "bfp4_mlp_bfp8_attn",
    "q3_k": "q3_k_m",
    "q4_k": "q4_k_m",
    "q5_k": "q5_k_m",
}

KV_ALIASES: Mapping[str, str] = {
    "float16": "fp16",
    "f16": "fp16",
    "half": "fp16",
    "bfloat16": "bf16",
    "float32": "fp32",
    "f32": "fp32",
    "fp8_e4m3": "fp8",
    "fp8_e5m2": "fp8",
    "fp8_e4m3fn": "fp8",
    "fp8_inc": "fp8",
    "fp8_ds_mla": "fp8",
    "float8": "fp8",
    "fp4": "nvfp4",
    "bfp8_b": "bfp8",
}


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower()) if isinstance(name, str) else name


def canonical_scheme(name: str) -> str:
    """The registered name of a storage format, whatever way it is printed. Raises UnknownFormat."""
    plain = _plain(name)
    if isinstance(plain, str):
        plain = SCHEME_ALIASES.get(plain, plain)
        for prefix in ("ud_", "i1_"):  # Unsloth's dynamic files, files made with an importance matrix
            plain = plain.removeprefix(prefix)
        if plain in NAMED_SCHEMES:
            return plain
        if match := _EXL2.match(plain):
            bits = float(match[1])
            if 2 <= bits <= 8:
                return f"exl2_{bits}bpw"
    raise UnknownFormat(name, ACCEPTED)


def canonical_kv(name: str) -> str:
    """The registered name of a cache format, whatever way it is printed. Raises UnknownFormat."""
    plain = _plain(name)
    if isinstance(plain, str):
        plain = KV_ALIASES.get(plain, plain)
        if plain in FORMATS:
            return plain
    raise UnknownFormat(name, tuple(FORMATS))


def same_storage(asked: str, stored: str) -> bool:
    """Whether a checkpoint stored as `stored` is what people call `asked`: block FP8 is called FP8."""
    families = (("fp8", "fp8_block", "mxfp8"), ("int4", "int4_awq"))
    return asked == stored or any(asked == family[0] and stored in family for family in families)


def has_experts(architecture: Architecture) -> bool:
    return any(
        isinstance(block, MixtureOfExperts) for group in architecture.layers for block in group.feed_forwards
    )


def _all_mixers(architecture: Architecture) -> set[type]:
    return {type(mixer) for group in architecture.layers for mixer in group.mixers}


def _everything(slug: str, storage: str, *, kv: str = "bf16", activation: str = "bf16") -> WeightScheme:
    return WeightScheme(
        slug=slug,
        attention=storage,
        dense_ffn=storage,
        routed_experts=storage,
        shared_experts=storage,
        kv=kv,
        activation=activation,
    )


def _experts_only(slug: str, storage: str, *, kv: str = "bf16", activation: str = "bf16") -> WeightScheme:
    return WeightScheme(slug=slug, routed_experts=storage, kv=kv, activation=activation)


def named_scheme(name: str, architecture: Architecture) -> WeightScheme:
    """The scheme of that name for this architecture as such files usually are. Raises UnknownFormat."""
    return _scheme(canonical_scheme(name), architecture)


@lru_cache(maxsize=8192)
def _scheme(slug: str, architecture: Architecture) -> WeightScheme:
    """The usual tensor groups.

    FP8 keeps embedding and head in 16 bit. INT4 and MXFP4 checkpoints of mixture-of-experts models quantise
    the routed experts and keep the rest in bf16 (Kimi-K2.5, gpt-oss), those of dense models every linear
    layer. NVFP4: see `_nvfp4`. GGUF mixes quantise the embedding too and store the head wider. MLX's 5 and
    6 bit (and 2 and 3) quantise embedding and head as well, with a 16-bit scale and bias per 64 weights.
    """
    if slug in ("fp32", "bf16", "fp16"):
        cache = "fp16" if slug == "fp32" else slug
        return WeightScheme(slug, slug, slug, slug, slug, slug, slug, kv=cache, activation=slug)
    if slug in ("fp8", "fp8_block", "mxfp8", "fp6"):
        return _everything(slug, slug, kv="fp8", activation="fp8")
    if slug == "int8":
        return _everything(slug, slug, activation="int8")
    if slug in ("bfp8", "bfp4"):
        return _everything(slug, slug, kv="bfp8")
    if slug in ("bfp8_mlp", "bfp4_mlp_bfp8_attn"):
        return _block_float(slug)
    if slug == "nvfp4":
        return _nvfp4(architecture)
    if slug in ("mxfp4", "int4", "int4_awq"):
        return (_experts_only if has_experts(architecture) else _everything)(slug, slug)
    if slug == "nf4":
        return _everything(slug, slug)
    if slug in ("int2", "int3", "int5", "int6"):
        bits = float(slug[3:]) + 32 / 64
        groups = ("embedding", "attention", "dense_ffn", "routed_experts", "shared_experts", "head")
        return WeightScheme(
            slug, slug, slug, slug, slug, slug, slug, bits=tuple((group, bits) for group in groups)
        )
    if slug.startswith("exl2_"):
        return _exl2(slug)
    return _gguf(slug, architecture)


def _nvfp4(architecture: Architecture) -> WeightScheme:
    """NVFP4 with an FP8 cache, as NVIDIA publishes it.

    Dense models: every linear layer (ModelOpt's NVFP4_DEFAULT_CFG leaves head and router out; Llama-3.1-405B
    and Qwen3-32B). Mixtures: latent attention stays bf16 beside quantised feed-forwards (Kimi-K2.5-NVFP4,
    GLM-5-NVFP4); beside recurrent mixers only the routed experts are quantised (Qwen3.5-397B-A17B-NVFP4);
    with plain attention every linear layer is (Qwen3-235B-A22B-NVFP4).
    """
    everything = _everything("nvfp4", "nvfp4", kv="fp8", activation="nvfp4")
    if not has_experts(architecture):
        return everything
    mixers = _all_mixers(architecture)
    if LatentAttention in mixers:
        return replace(everything, attention="bf16")
    if mixers - {Attention}:
        return _experts_only("nvfp4", "nvfp4", kv="fp8", activation="nvfp4")
    return everything


def _block_float(slug: str) -> WeightScheme:
    """Tenstorrent's two settings (models/tt_transformers/PERF.md): the head and the cache are BFP8.

    "Performance": gate and up projections BFP4, the down projection and attention BFP8. "Accuracy": BFP8
    feed-forward beside bf16 attention; models that keep BFP8 attention there have it among their facts.
    """
    narrow = slug == "bfp4_mlp_bfp8_attn"
    mlp = "bfp4" if narrow else "bfp8"
    attention = "bfp8" if narrow else "bf16"
    bits = (2 * FORMATS["bfp4"].bits + FORMATS["bfp8"].bits) / 3
    return WeightScheme(
        slug=slug,
        attention=attention,
        dense_ffn=mlp,
        routed_experts=mlp,
        shared_experts=mlp,
        head="bfp8",
        kv="bfp8",
        bits=tuple((group, bits) for group in ("dense_ffn", "routed_experts", "shared_experts"))
        if narrow
        else (),
    )


def _exl2(slug: str) -> WeightScheme:
    """ExLlama: the named average in the layers, 6 bits in the head (`-hb` of its convert.py)."""
    bits = float(slug.removeprefix("exl2_").removesuffix("bpw"))
    layers = ("attention", "dense_ffn", "routed_experts", "shared_experts")
    return WeightScheme(
        slug=slug,
        embedding="fp16",
        attention="exl2",
        dense_ffn="exl2",
        routed_experts="exl2",
        shared_experts="exl2",
        head="exl2",
        kv="fp16",
        activation="fp16",
        bits=(*((group, bits) for group in layers), ("head", 8.0 if bits > 6 else 6.0)),
    )


def _gguf(slug: str, architecture: Architecture) -> WeightScheme:
    if slug in DYNAMIC:
        mix = DYNAMIC[slug]
        experts = has_experts(architecture)
        own = {
            "embedding": mix.ends,
            "attention": mix.others if experts else mix.attention,
            "dense_ffn": mix.others if experts else mix.feed_forward,
            "routed_experts": mix.experts,
            "shared_experts": mix.others,
            "head": mix.ends,
        }
    else:
        bits = mix_bits(slug, _shape(architecture))
        own = {
            "embedding": bits.embedding,
            "attention": bits.attention,
            "dense_ffn": bits.feed_forward,
            "routed_experts": bits.feed_forward,
            "shared_experts": bits.feed_forward,
            "head": bits.head,
        }
    scheme = WeightScheme(slug, slug, slug, slug, slug, slug, slug, kv="fp16", activation="fp16")
    return replace(scheme, bits=tuple(own.items()))


def _shape(architecture: Architecture) -> Shape:
    """What llama.cpp's rules ask: shares of query, key, value and output in the attention's parameters."""
    parts = {"query_and_key": 0, "value": 0, "output": 0}
    whole = layers = experts = 0
    gated = grouped = True
    for group in architecture.layers:
        layers += group.count
        for mixer in group.mixers:
            for tensor_group, term, size in mixer_terms(mixer, architecture.hidden):
                if tensor_group != "mixer":
                    continue
                whole += size * group.count
                if isinstance(mixer, Attention):
                    place = _PARTS.get(term.split(" ")[0])
                    if place:
                        parts[place] += size * group.count
            if isinstance(mixer, Attention):
                grouped = grouped and mixer.heads >= 4 * mixer.kv_heads
        for block in group.feed_forwards:
            gated = gated and block.gated
            if isinstance(block, MixtureOfExperts):
                experts = max(experts, block.experts)
            else:
                assert isinstance(block, DenseFeedForward)
    total = max(1, whole)
    return Shape(
        layers=max(1, layers),
        experts=experts,
        grouped=grouped,
        tied=architecture.tied_embeddings,
        query_and_key=parts["query_and_key"] / total,
        value=parts["value"] / total,
        output=parts["output"] / total,
        down=1 / 3 if gated else 1 / 2,
    )


_PARTS: Mapping[str, str] = {
    "query": "query_and_key",
    "key": "query_and_key",
    "value": "value",
    "output": "output",
}
