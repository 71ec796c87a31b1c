"""Stored number formats by the names that configurations give them, with bits per weight, scales included."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredFormat:
    """A number format by slug, and the bits it takes per weight, scales included."""

    format: str
    bits: float


DTYPES = {
    "bfloat16": StoredFormat("bf16", 16.0),
    "float16": StoredFormat("fp16", 16.0),
    "half": StoredFormat("fp16", 16.0),
    "float32": StoredFormat("fp32", 32.0),
    "float": StoredFormat("fp32", 32.0),
}
FP8 = StoredFormat("fp8", 8.0)
FP8_BLOCK = StoredFormat("fp8_block", 8.0 + 32 / 128**2)
NVFP4 = StoredFormat("nvfp4", 4.5)
MXFP4 = StoredFormat("mxfp4", 4.25)
MXFP8 = StoredFormat("mxfp8", 8.25)
ALGORITHMS = {
    "FP8": FP8,
    "FP8_PB_WO": FP8_BLOCK,
    "FP8_BLOCK": FP8_BLOCK,
    "NVFP4": NVFP4,
    "W4A16_NVFP4": NVFP4,
    "NVFP4_AWQ": NVFP4,
    "MXFP4": MXFP4,
    "MXFP8": MXFP8,
    "W4A16_AWQ": StoredFormat("int4_awq", 4.25),
    "W8A16": StoredFormat("int8", 8.0),
}
