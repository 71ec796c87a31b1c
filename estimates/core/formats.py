"""Number formats: bits stored per element with scales, and which of a chip's rates computes with them.

Storage bits count block scales: OCP Microscaling (MX) v1.0 has one 8-bit scale per 32 elements, NVFP4 one
FP8 scale per 16, DeepSeek's block FP8 one FP32 scale per 128 x 128, GPTQ and AWQ one 16-bit scale (AWQ also
a 4-bit zero point) per 128, llama.cpp's k-quants the bits per weight that its quantiser prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from estimates.core.architecture import Architecture, MixtureOfExperts

RATE_FORMATS: tuple[str, ...] = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "fp6", "fp4", "int8", "int4")
_RATE_ALIASES = {"nvfp4": "fp4", "mxfp4": "fp4", "mxfp6": "fp6", "mxfp8": "fp8", "fp8_block": "fp8"}
_WIDE = ("bf16", "fp16", "tf32", "fp32")


def rate_format(name: str) -> str | None:
    """The rate a number format's name stands for on a chip, None when there is no such rate."""
    canonical = _RATE_ALIASES.get(name, name)
    return canonical if canonical in RATE_FORMATS else None


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """`compute` lists the rates that can do the arithmetic, native first, then ever wider ones."""

    slug: str
    bits: float
    compute: tuple[str, ...]

    @property
    def bytes(self) -> float:
        return self.bits / 8


def _weight_only(slug: str, bits: float) -> NumberFormat:
    return NumberFormat(slug, bits, _WIDE)  # activations stay 16 bit


FORMATS: dict[str, NumberFormat] = {
    number_format.slug: number_format
    for number_format in (
        NumberFormat("fp32", 32, ("fp32",)),
        NumberFormat("tf32", 32, ("tf32", "fp32")),
        NumberFormat("bf16", 16, _WIDE),
        NumberFormat("fp16", 16, ("fp16", "bf16", "tf32", "fp32")),
        NumberFormat("fp8", 8, ("fp8", *_WIDE)),
        NumberFormat("fp8_block", 8 + 32 / 128**2, ("fp8", *_WIDE)),
        NumberFormat("mxfp8", 8 + 8 / 32, ("fp8", *_WIDE)),
        NumberFormat("fp6", 6 + 8 / 32, ("fp6", "fp8", *_WIDE)),
        NumberFormat("int8", 8, ("int8", *_WIDE)),
        # FP6 units scale by powers of two over blocks of 32: NVFP4's FP8 scales over 16 do not go into them.
        NumberFormat("nvfp4", 4 + 8 / 16, ("fp4", "fp8", *_WIDE)),
        NumberFormat("mxfp4", 4 + 8 / 32, ("fp4", "fp6", "fp8", *_WIDE)),
        _weight_only("int4", 4 + 16 / 128),
        _weight_only("int4_awq", 4 + 20 / 128),
        _weight_only("int5", 5 + 16 / 128),
        _weight_only("int6", 6 + 16 / 128),
        _weight_only("q8_0", 8.5),
        _weight_only("q6_k", 6.5625),
        _weight_only("q5_k_m", 5.70),
        _weight_only("q4_k_m", 4.89),
        _weight_only("q4_0", 4.5),
        _weight_only("q3_k_m", 4.00),
        _weight_only("q2_k", 3.16),
        NumberFormat("bfp8", 8 + 8 / 16, ("fp8", *_WIDE)),
        NumberFormat("bfp4", 4 + 8 / 16, ("fp8", *_WIDE)),
    )
}

_INTEGERS = ("int4", "int8")  # narrowest first
_FLOATS = ("fp4", "fp6", "fp8")


def rates_for(storage: str, activation: str) -> tuple[str, ...]:
    """The rates that can do a product of weights in `storage` with activations in `activation`, best first.

    With 16-bit or floating-point activations those of the storage format. With integer activations integers
    as wide as the wider operand, then wider ones; a 16-bit tensor among them is rounded to integers only
    where the chip has no wide rate.
    """
    order = FORMATS[storage].compute
    if activation not in _INTEGERS or order[0] in _FLOATS:
        return order
    wide = FORMATS[storage].bits >= 12
    narrow = activation == "int4" and FORMATS[storage].bits < 5
    integers = _INTEGERS if narrow else _INTEGERS[1:]
    others = tuple(name for name in order if name not in integers)
    return (*others, *integers) if wide else (*integers, *others)


SCHEME_GROUPS: tuple[str, ...] = (
    "embedding",
    "attention",
    "dense_ffn",
    "routed_experts",
    "shared_experts",
    "head",
)


class UnknownFormat(ValueError):  # noqa: N818
    """A number format or scheme that is not in the registry."""

    def __init__(self, value: object, accepted: tuple[str, ...]) -> None:
        self.value = value
        self.accepted = accepted
        super().__init__(f"unknown number format {value!r}; accepted: {', '.join(accepted)}")


def number_format(slug: str) -> NumberFormat:
    """The registered format; raises UnknownFormat."""
    try:
        return FORMATS[slug]
    except (KeyError, TypeError):
        raise UnknownFormat(slug, tuple(FORMATS)) from None


@dataclass(frozen=True, slots=True)
class WeightScheme:
    """Number format of each tensor group, of the KV cache and of activations."""

    slug: str
    embedding: str = "bf16"
    attention: str = "bf16"
    dense_ffn: str = "bf16"
    routed_experts: str = "bf16"
    shared_experts: str = "bf16"
    head: str = "bf16"
    kv: str = "bf16"
    activation: str = "bf16"

    def __post_init__(self) -> None:
        for entry in fields(self):
            if entry.name != "slug":
                number_format(getattr(self, entry.name))

    def group(self, name: str) -> NumberFormat:
        return FORMATS[getattr(self, name)]


@lru_cache(maxsize=512)
def in_integers(scheme: WeightScheme) -> WeightScheme:
    """The scheme on a part that has no floating-point unit: what would be 16 bit is held in 8-bit integers.

    Integer-only accelerators run attention, activations and cache in their (block-scaled) INT8.
    """
    wide = {
        entry.name: "int8"
        for entry in fields(scheme)
        if entry.name != "slug" and FORMATS[getattr(scheme, entry.name)].bits >= 12
    }
    return replace(scheme, **wide)


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


def has_experts(architecture: Architecture) -> bool:
    return any(
        isinstance(block, MixtureOfExperts) for group in architecture.layers for block in group.feed_forwards
    )


_GGUF: Mapping[str, str] = {
    "q8_0": "q8_0",
    "q6_k": "q6_k",
    "q5_k_m": "q6_k",
    "q4_k_m": "q6_k",
    "q4_0": "q6_k",
    "q3_k_m": "q6_k",
    "q2_k": "q6_k",
}

NAMED_SCHEMES: tuple[str, ...] = (
    "fp32",
    "bf16",
    "fp16",
    "fp8",
    "fp8_block",
    "mxfp8",
    "int8",
    "nvfp4",
    "mxfp4",
    "int4",
    "int4_awq",
    "bfp8",
    "bfp4",
    *_GGUF,
)


def named_scheme(slug: str, architecture: Architecture) -> WeightScheme:
    """The scheme of that name for this architecture (see `scheme_of`). Raises UnknownFormat."""
    return scheme_of(slug, has_experts(architecture))


@lru_cache(maxsize=128)
def scheme_of(slug: str, with_experts: bool) -> WeightScheme:
    """What a checkpoint of that name usually stores in each tensor group.

    FP8 keeps embedding and head in 16 bit. FP4 and INT4 checkpoints of mixture-of-experts models quantise
    the routed experts and keep attention in bf16, those of dense models quantise every linear layer. GGUF
    mixes quantise embedding too and store the head wider. Raises UnknownFormat.
    """
    if slug in ("fp32", "bf16", "fp16"):
        cache = "fp16" if slug == "fp32" else slug
        return WeightScheme(slug, slug, slug, slug, slug, slug, slug, kv=cache, activation=slug)
    if slug in ("fp8", "fp8_block", "mxfp8"):
        return _everything(slug, slug, kv="fp8", activation="fp8")
    if slug == "int8":
        return _everything(slug, slug, activation="int8")
    if slug in ("bfp8", "bfp4"):
        return _everything(slug, slug, kv="bfp8")
    if slug in ("nvfp4", "mxfp4", "int4", "int4_awq"):
        quantised = _experts_only if with_experts else _everything
        if slug == "nvfp4":
            return quantised(slug, slug, kv="fp8", activation="nvfp4")
        return quantised(slug, slug)
    if slug in _GGUF:
        head = _GGUF[slug]
        return WeightScheme(slug, slug, slug, slug, slug, slug, head, kv="fp16", activation="fp16")
    raise UnknownFormat(slug, NAMED_SCHEMES)
