"""How a checkpoint stores its weights: a format and bits per weight for each tensor group.

A single figure per parameter is wrong by 5 to 20% on small and on mixture-of-experts models, because heads,
embeddings, routers, norms and often attention stay in 16 bits. Bits include scales: FP8 with one FP32 scale a
128 x 128 block is 8.002, NVFP4 with an FP8 scale for 16 is 4.5, MXFP4 with a byte for 32 is 4.25, INT4 with
a 16-bit scale for g is 4 + 16/g.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.importing.hf_config.exclusions import apply_exclusions, classify, exclusions
from catalog.importing.hf_config.feed_forward import expert_count
from catalog.importing.hf_config.formats import ALGORITHMS, DTYPES, FP8, FP8_BLOCK, MXFP4, NVFP4, StoredFormat
from catalog.importing.hf_config.layers import expert_layers
from catalog.importing.hf_config.reading import Config, UnsupportedArchitecture
from estimates.core.architecture import TENSOR_GROUPS, Architecture, TensorGroup
from estimates.core.parameters import count_parameters

QUANTISED: tuple[TensorGroup, ...] = ("mixer", "dense_ffn", "routed_experts", "shared_experts", "mtp")


@dataclass(frozen=True)
class Quantisation:
    """Stored format by tensor group, the slug that names the checkpoint, and the format of its KV cache."""

    by_group: dict[TensorGroup, StoredFormat]
    native_format: str
    kv_format: str | None
    dtype: str | None
    warnings: tuple[str, ...]


def stored_formats(
    config: Config, architecture: Architecture, hf_quant_config: dict[str, Any] | None
) -> Quantisation:
    """Formats of all tensor groups, from quantization_config and hf_quant_config.json where there is one."""
    dtype = config.text("dtype", "torch_dtype")
    warnings: list[str] = []
    base = DTYPES.get((dtype or "").removeprefix("torch."))
    if base is None:
        base = DTYPES["bfloat16"]
        warnings.append(
            f"dtype {dtype!r}: bf16 is assumed" if dtype else "dtype is not given: bf16 is assumed"
        )
    elif base.format == "fp32" and architecture.role == "decoder":
        warnings.append("dtype is float32; such checkpoints are often stored in bf16: check the file headers")
    section = config.object("quantization_config", "quantization")
    external = (hf_quant_config or {}).get("quantization", hf_quant_config)
    if section is None and not external:
        return Quantisation(dict.fromkeys(TENSOR_GROUPS, base), base.format, None, dtype, tuple(warnings))
    sections = [Config(external)] if isinstance(external, dict) else []
    if section is not None:
        sections.insert(0, section)
    by_group = dict.fromkeys(TENSOR_GROUPS, base)
    default: StoredFormat | None = None
    overrides: dict[TensorGroup, StoredFormat] = {}
    count = sum(group.count for group in architecture.layers)
    routed = expert_layers(config, count) if expert_count(config) else [False] * count
    for part in sections:
        default = default or default_format(part, config)
        overrides = overrides or layer_formats(part, routed)
    if default is None and not overrides:
        raise UnsupportedArchitecture("quantization_config: the stored format is not recognised")
    # Where a second format is laid over block FP8, the ignore list is that format's, not the checkpoint's.
    overlaid = default is not None and bool(overrides)
    excluded = [] if overlaid else [item for part in sections for item in exclusions(part, routed)]
    if default is not None:
        for group in QUANTISED:
            by_group[group] = default
        if config.text("expert_dtype") == "fp4":
            by_group["routed_experts"] = MXFP4
        if config.value("quantization_config", "quantization") and only_experts(sections):
            for group in QUANTISED:
                if group != "routed_experts":
                    by_group[group] = base
    for group, stored in overrides.items():
        by_group[group] = stored
    if overrides and default is None:
        for group in set(QUANTISED) - set(overrides):
            by_group[group] = base
    apply_exclusions(by_group, excluded, base, architecture, keep=set(overrides))
    native = native_name(by_group, architecture)
    return Quantisation(by_group, native, kv_format(sections), dtype, tuple(warnings))


def only_experts(sections: list[Config]) -> bool:
    """MXFP4 checkpoints of gpt-oss quantise the experts alone."""
    return any(part.text("quant_method") == "mxfp4" for part in sections)


def default_format(part: Config, config: Config) -> StoredFormat | None:
    """The format of quantised matrices; None for mixed precision, which lists its layers."""
    method = (part.text("quant_method") or "").lower()
    algorithm = (part.text("quant_algo") or "").upper()
    if algorithm in ALGORITHMS:
        return ALGORITHMS[algorithm]
    if method == "fp8":
        return FP8_BLOCK if part.listing("weight_block_size") else FP8
    if algorithm == "MIXED_PRECISION":
        return None
    if method == "fbgemm_fp8":
        return FP8
    if method == "mxfp4":
        return MXFP4
    if method in ("gptq", "awq"):
        return grouped_integer(part, method)
    if method == "bitsandbytes":
        return StoredFormat("int4", 4.5) if part.flag("load_in_4bit") else StoredFormat("int8", 8.0)
    groups = part.object("config_groups")
    if groups is not None:
        return compressed_tensors(groups, part)
    if part.has("bits"):  # MLX: a scale and a bias of 16 bits a group
        bits, size = part.integer("bits", least=2), part.integer("group_size", default=64, least=1)
        return StoredFormat(f"int{bits}", bits + 32 / size)
    return None


def grouped_integer(part: Config, method: str) -> StoredFormat:
    """GPTQ and AWQ: bits + 16/g for the scale, + bits/g for a zero point."""
    bits, size = part.integer("bits", default=4, least=2), part.integer("group_size", default=128, least=-1)
    zero = part.flag("zero_point") or not part.flag("sym", default=method == "gptq")
    overhead = 0.0 if size <= 0 else (16 + (bits if zero else 0)) / size
    slug = "int4_awq" if method == "awq" and bits == 4 else f"int{bits}"
    return StoredFormat(slug, bits + overhead)


def compressed_tensors(groups: Config, part: Config) -> StoredFormat | None:
    """First group's weights: bits, type, group size and strategy."""
    for name in groups.data:
        group = groups.object(name)
        weights = group.object("weights") if group is not None else None
        if group is None or weights is None:
            continue
        bits, size = weights.integer("num_bits", least=2), weights.optional("group_size", least=1)
        layout = group.text("format") or part.text("format") or ""
        if weights.text("type") == "float" and bits == 4:
            return MXFP4 if "mxfp4" in layout or size == 32 else NVFP4
        if weights.text("type") == "float" and bits == 8:
            return FP8_BLOCK if weights.text("strategy") == "block" else FP8
        overhead = 16 / size if size else 0.0
        return StoredFormat(f"int{bits}", bits + overhead)
    return None


def layer_formats(part: Config, routed: list[bool]) -> dict[TensorGroup, StoredFormat]:
    """Formats of tensor groups from a per-layer list (mixed precision)."""
    layers = part.object("quantized_layers")
    if layers is None:
        return {}
    found: dict[TensorGroup, StoredFormat] = {}
    for name in layers.data:
        entry = layers.object(name)
        algorithm = (entry.text("quant_algo") or "").upper() if entry is not None else ""
        stored = ALGORITHMS.get(algorithm)
        if stored is None:
            raise UnsupportedArchitecture(f"quantized_layers: {algorithm!r} of {name} is not a known format")
        for exclusion in classify(name, routed):
            found.setdefault(exclusion.group, stored)
    return found


def native_name(by_group: dict[TensorGroup, StoredFormat], architecture: Architecture) -> str:
    """The format that most parameters have: what the checkpoint is called."""
    sizes = count_parameters(architecture).by_group
    weight: dict[str, int] = {}
    for group, size in sizes.items():
        slug = by_group[group].format
        weight[slug] = weight.get(slug, 0) + size
    return max(weight, key=lambda slug: weight[slug])


def kv_format(sections: list[Config]) -> str | None:
    """Format of the KV cache where the checkpoint carries scales for one."""
    for part in sections:
        scheme = part.value("kv_cache_scheme", "kv_cache_quant_algo")
        if scheme == "FP8" or (isinstance(scheme, dict) and scheme.get("num_bits") == 8):
            return "fp8"
        if scheme == "NVFP4" or (isinstance(scheme, dict) and scheme.get("num_bits") == 4):
            return "nvfp4"
    return None


def weight_bytes(architecture: Architecture, by_group: dict[TensorGroup, StoredFormat]) -> float:
    """Stored bytes of the running model: the sum over tensor groups of parameters times bits over 8."""
    sizes = count_parameters(architecture).by_group
    return sum(size * by_group[group].bits / 8 for group, size in sizes.items() if group != "mtp")
