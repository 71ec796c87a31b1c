"""Reviews across rows: legal values that a reader of the files should look at. They stop nothing.

The rules would each have caught a real error of a public catalogue: sparse rates stored as dense and links
counted in both directions (exactly 2), bits read as bytes (exactly 8), binary gigabytes (7 %), rates of
shader units among tensor rates (ratio of FP8 to BF16), a slipped decimal point (FLOP per byte).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from catalog.importing.kinds import Facts

#: FP8 to BF16 on chips that have both: equal (Gaudi 3, TPU) up to 3.75 (Trainium3).
FP8_TO_BF16 = (0.9, 4.1)
#: FLOP per byte of the fastest matrix format over the main memory.
RIDGE = (5.0, 2000.0)
GIB = 2**30 / 1e9
TOLERANCE = 0.003


def review_hardware(facts: Facts) -> Iterable[str]:
    """Doubtful figures of accelerators: exact factors among rivals, impossible ratios, GB against GiB.

    A rival whose reason says why it is not used is counted in one line at the end.
    """
    explained: Counter[str] = Counter()
    for record in facts.records("accelerators"):
        for quantity, rows in record.value.figures.items():
            accepted = next((row for row in rows if row.accepted), None)
            for row in rows:
                if accepted is None or row.accepted:
                    continue
                factor = factor_between(row.value, accepted.value)
                if factor and row.reason:
                    explained[factor] += 1
                elif factor:
                    yield f"{record.place}: {quantity}: {row.value:g} against {accepted.value:g}: {factor}"
        yield from _ratios(record.key, str(record.place), _accepted(record.value))
    for factor, count in explained.items():
        yield f"{count} rival figures, each with its reason, are {factor}"


def factor_between(value: float, other: float) -> str | None:
    """What an exact factor between two figures of one quantity usually means, or None."""
    ratio = max(value, other) / min(value, other)
    if abs(ratio - 2) < 2 * TOLERANCE:
        return "a factor of exactly 2 away (sparse or both directions?)"
    if abs(ratio - 8) < 8 * TOLERANCE:
        return "a factor of exactly 8 away (bits or bytes?)"
    if abs(ratio - GIB) < GIB * TOLERANCE:
        return "7.4 % apart (GB or GiB?)"
    return None


def _accepted(entry: Any) -> dict[str, float]:
    return {name: row.value for name, rows in entry.figures.items() for row in rows if row.accepted}


def _ratios(slug: str, place: str, values: dict[str, float]) -> Iterable[str]:
    bf16 = values.get("peak_rate:bf16", values.get("peak_rate:fp16"))
    fp8 = values.get("peak_rate:fp8")
    if bf16 and fp8 and not FP8_TO_BF16[0] <= fp8 / bf16 <= FP8_TO_BF16[1]:
        yield f"{place}: {slug}: FP8 is {fp8 / bf16:.2f} times the 16-bit rate; expected {FP8_TO_BF16}"
    bandwidth = values.get("memory_bandwidth_gbs")
    if bf16 and bandwidth and not RIDGE[0] <= (ridge := bf16 * 1e3 / bandwidth) <= RIDGE[1]:
        yield f"{place}: {slug}: {ridge:.1f} FLOP per byte; expected {RIDGE}"
    printed, counted = values.get("memory_gb"), values.get("memory_bytes")
    if printed and counted and not 0.95 <= counted / (printed * 1e9) <= 1.15:
        yield f"{place}: {slug}: {counted / 1e9:.1f} GB reported by the device against {printed:g} printed"
