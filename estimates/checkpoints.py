"""Published checkpoints of the catalogue's models in other formats: what each tensor group really holds.

`data/checkpoints.csv` has one row a checkpoint (or file) and the models whose weights it stores. A cell of a
tensor group is a format, with `:bits` where the stored bits a weight differ from the format's own; an empty
one is as such checkpoints usually are. A question for that format of such a model is answered with it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from estimates.core.architecture import Architecture
from estimates.core.formats import FORMATS, UnknownFormat, WeightScheme, number_format
from estimates.core.weight_schemes import canonical_scheme, named_scheme

CHECKPOINTS: Final = Path(__file__).resolve().parent / "data" / "checkpoints.csv"

#: Tensor groups of the parameter counter -> fields of a weight scheme. Norms and routers stay 16 bit.
SCHEME_FIELDS: Final = {
    "embedding": "embedding",
    "mixer": "attention",
    "dense_ffn": "dense_ffn",
    "routed_experts": "routed_experts",
    "shared_experts": "shared_experts",
    "head": "head",
}
COLUMNS: Final = ("models", "format", *SCHEME_FIELDS, "kv", "checkpoint", "source")
#: Bits that differ by less are the format's own, rounded.
SAME_BITS: Final = 1e-6


class InvalidCheckpoint(ValueError):  # noqa: N818
    """A row of the data that cannot be: line, column, what stands there, what is accepted."""

    def __init__(self, line: int, column: str, value: object, accepted: str) -> None:
        super().__init__(f"{CHECKPOINTS.name}:{line}: {column} is {value!r}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One published checkpoint: its format, the models it stores, groups as format or (format, bits)."""

    format: str
    models: tuple[str, ...]
    groups: tuple[tuple[str, str, float | None], ...]
    kv: str
    name: str
    source: str


def stored_groups(usual: WeightScheme, quantisation: Mapping[str, Any], *, slug: str) -> WeightScheme:
    """The scheme with these tensor groups and their true bits; groups that are not named stay as usual.

    A group is a format or {"format": ..., "bits": ...}. Raises UnknownFormat.
    """
    stored: dict[str, str] = {}
    bits = dict(usual.bits)
    for group, name in SCHEME_FIELDS.items():
        entry = quantisation.get(group)
        if not entry:
            continue
        given: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {"format": str(entry)}
        stored[name] = given["format"]
        bits.pop(name, None)
        true = given.get("bits")
        if true and abs(true - number_format(stored[name]).bits) > SAME_BITS:
            bits[name] = float(true)
    if quantisation.get("kv_format"):
        stored["kv"] = str(quantisation["kv_format"])
    return replace(usual, slug=slug, bits=tuple(bits.items()), **stored)


@lru_cache(maxsize=1)
def checkpoints() -> tuple[Checkpoint, ...]:
    """All rows of the data. Raises InvalidCheckpoint."""
    with CHECKPOINTS.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InvalidCheckpoint(1, "header", reader.fieldnames, ",".join(COLUMNS))
        return tuple(_checkpoint(reader.line_num, row) for row in reader)


def _checkpoint(line: int, row: Mapping[str, str]) -> Checkpoint:
    groups: list[tuple[str, str, float | None]] = []
    for group in SCHEME_FIELDS:
        if not row[group]:
            continue
        stored, _, bits = row[group].partition(":")
        try:
            number_format(stored)
            groups.append((group, stored, float(bits) if bits else None))
        except (UnknownFormat, ValueError):
            raise InvalidCheckpoint(line, group, row[group], "a number format, or format:bits") from None
    try:
        slug = canonical_scheme(row["format"])
    except UnknownFormat as error:
        raise InvalidCheckpoint(line, "format", row["format"], ", ".join(error.accepted)) from None
    if row["kv"] and row["kv"] not in FORMATS:
        raise InvalidCheckpoint(line, "kv", row["kv"], ", ".join(FORMATS))
    for column in ("models", "checkpoint", "source"):
        if not row[column].strip():
            raise InvalidCheckpoint(line, column, "", "a value")
    return Checkpoint(
        slug, tuple(row["models"].split()), tuple(groups), row["kv"], row["checkpoint"], row["source"]
    )


@lru_cache(maxsize=1)
def _by_model() -> Mapping[str, tuple[Checkpoint, ...]]:
    found: dict[str, tuple[Checkpoint, ...]] = {}
    for checkpoint in checkpoints():
        for model in checkpoint.models:
            found[model] = (*found.get(model, ()), checkpoint)
    return found


def published_schemes(model: str, architecture: Architecture) -> tuple[WeightScheme, ...]:
    """Schemes of the checkpoints that store this model's weights in another format, one a format."""
    return tuple(
        stored_groups(
            named_scheme(checkpoint.format, architecture),
            {
                **{group: {"format": stored, "bits": bits} for group, stored, bits in checkpoint.groups},
                "kv_format": checkpoint.kv,
            },
            slug=checkpoint.format,
        )
        for checkpoint in _by_model().get(model, ())
    )
