"""Number formats: bits stored per element with scales, and which of a chip's rates computes with them.

Storage bits count block scales: OCP Microscaling (MX) v1.0 has one 8-bit scale per 32 elements, NVFP4 one
FP8 scale per 16, DeepSeek's block FP8 one FP32 scale per 128 x 128, GPTQ and AWQ one 16-bit scale (AWQ also
a 4-bit zero point) per 128, llama.cpp's mixes the bits per weight that its quantiser prints for Llama 3.1 8B
(`tools/quantize/README.md`). What a checkpoint stores in which tensor group is in `weight_schemes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from estimates.core.gguf import README_BITS

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
        _weight_only("int2", 2 + 16 / 128),
        _weight_only("int3", 3 + 16 / 128),
        _weight_only("int4", 4 + 16 / 128),
        _weight_only("int4_awq", 4 + 20 / 128),
        _weight_only("int5", 5 + 16 / 128),
        _weight_only("int6", 6 + 16 / 128),
        # bitsandbytes NF4: an FP32 absmax per 64 weights, itself held in 8 bits (double quantisation)
        _weight_only("nf4", 4 + 8 / 64 + 32 / 64 / 256),
        _weight_only("exl2", 4),  # 2 to 8 bits; each checkpoint is named by its average
        *(_weight_only(slug, bits) for slug, bits in README_BITS.items()),
        # Tenstorrent block floating point: sign and mantissa, one 8-bit exponent shared by 16 numbers
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
    """Number format of each tensor group, of the KV cache and of activations.

    `bits` holds the groups whose stored bits a weight differ from their format's own: a group that mixes
    formats, or a file whose sizes are known. The format then says what computes, the bits what is read.
    """

    slug: str
    embedding: str = "bf16"
    attention: str = "bf16"
    dense_ffn: str = "bf16"
    routed_experts: str = "bf16"
    shared_experts: str = "bf16"
    head: str = "bf16"
    kv: str = "bf16"
    activation: str = "bf16"
    bits: tuple[tuple[str, float], ...] = ()  # a mapping is accepted and frozen

    def __post_init__(self) -> None:
        for name in (*SCHEME_GROUPS, "kv", "activation"):
            number_format(getattr(self, name))
        own = dict(self.bits)
        for name, value in own.items():
            if name not in SCHEME_GROUPS:
                raise UnknownFormat(name, SCHEME_GROUPS)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 64:
                raise UnknownFormat(value, ("bits a weight above 0, at most 64",))
        object.__setattr__(self, "bits", tuple(sorted(own.items())))

    def group(self, name: str) -> NumberFormat:
        """The format of a tensor group with the bits that are really stored."""
        stored = FORMATS[getattr(self, name)]
        for group, bits in self.bits:
            if group == name:
                return replace(stored, bits=bits)
        return stored


@lru_cache(maxsize=512)
def in_integers(scheme: WeightScheme) -> WeightScheme:
    """The scheme on a part that has no floating-point unit: what would be 16 bit is held in 8-bit integers.

    Integer-only accelerators run attention, activations and cache in their (block-scaled) INT8.
    """
    names = (*SCHEME_GROUPS, "kv", "activation")
    wide = {name: "int8" for name in names if FORMATS[getattr(scheme, name)].bits >= 12}
    return replace(scheme, **wide, bits=tuple(pair for pair in scheme.bits if pair[0] not in wide))
