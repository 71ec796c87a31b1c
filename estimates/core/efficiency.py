"""Efficiency as data: how much of a chip's peaks each kind of operation reaches, and every other coefficient.

Three text files hold it (operators, collectives, coefficients), each figure with provenance and source. A
look-up walks chip -> generation -> vendor -> kind of chip -> any, the asked software -> the mean over the
software measured, the asked format -> the nearest; what was inherited is reported and decides the grade.
Generation and vendor values are geometric means over the measured chips of the same kind.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from estimates.core.acceptance import Acceptance, load_acceptance
from estimates.core.calibration import Calibration, load_calibration
from estimates.core.facts import Chip, Link
from estimates.core.formats import FORMATS

DATA_DIRECTORY = Path(__file__).resolve().parent.parent / "data"
FILES = ("operators.csv", "collectives.csv", "coefficients.csv", "software.csv", "default_software.csv")
LEVELS = ("chip", "generation", "vendor", "kind")  # index is the level; higher means more inherited
GENERAL_LIBRARIES = ("nccl", "oneccl")  # outside the serving software, which has faster small all-reduces


class InvalidEfficiency(ValueError):  # noqa: N818
    """A broken row of the efficiency data: file, line, column, value, what is accepted."""

    def __init__(self, file: str, line: int, column: str, value: object, accepted: str) -> None:
        self.file, self.line, self.column, self.value, self.accepted = file, line, column, value, accepted
        super().__init__(f"{file} line {line}: {column} is {value!r}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Fit:
    """Shares of peak one operation reaches: t = t0 + ((F / (ec peak))^p + (B / (em bandwidth))^p)^(1/p).

    `compute` names the rate the share is of. For prefill attention `p` is the prompt length at which half
    of `eff_compute` is reached: e = eff_compute ISL / (ISL + p).
    """

    eff_compute: float
    eff_memory: float
    t0_s: float
    p: float
    compute: str | None
    level: int = 3
    exact_format: bool = True
    origin: str = ""


@dataclass(frozen=True, slots=True)
class CollectiveFit:
    """t = alpha + (bytes on the wire) / (share x link), tabulated over the number of ranks."""

    ranks: tuple[int, ...]
    alpha_s: tuple[float, ...]
    share: tuple[float, ...]
    level: int
    origin: str

    def at(self, ranks: float) -> tuple[float, float]:
        """Alpha and link share at a rank count: linear in log2(ranks); beyond the table alpha grows on."""
        if ranks <= 1:
            return 0.0, 1.0
        x = math.log2(ranks)
        xs = [math.log2(r) for r in self.ranks]
        if len(xs) == 1 or x <= xs[0]:
            return self.alpha_s[0], self.share[0]
        upper = next((i for i, known in enumerate(xs) if known >= x), len(xs) - 1)
        weight = (x - xs[upper - 1]) / (xs[upper] - xs[upper - 1])
        slope = self.alpha_s[upper] - self.alpha_s[upper - 1]
        alpha = self.alpha_s[upper - 1] + weight * (max(slope, 0.0) if weight > 1 else slope)
        bounded = min(weight, 1.0)
        share = self.share[upper - 1] + bounded * (self.share[upper] - self.share[upper - 1])
        return alpha, share


def format_candidates(operation: str, storage: str, compute: str | None) -> tuple[str, ...]:
    """Formats of the data that resemble `storage` computed at `compute`, nearest first."""
    if operation in ("attention_decode", "attention_prefill"):
        return ("fp8", "bf16") if FORMATS[storage].bits < 12 else ("bf16", "fp8")
    bits = FORMATS[storage].bits
    if operation == "experts" and storage == "mxfp4":
        return ("mxfp4", "mxfp4_w4a16", "nvfp4", "fp8_block", "fp8", "int4", "bf16")
    if compute == "fp4":
        return ("nvfp4", "fp8", "fp8_block", "bf16")
    if compute in ("fp8", "fp6", "int8"):
        if storage == "fp8_block":
            return ("fp8_block", "fp8", "bf16")
        return ("fp8", "fp8_block", "int8_wo", "bf16")
    if bits < 7:
        return ("int4", "int8_wo", "bf16")
    if bits < 12:
        return ("int8_wo", "int4", "bf16")
    return ("bf16",)


def _number(file: str, line: int, row: Mapping[str, str], column: str, default: float | None = None) -> float:
    text = row.get(column, "")
    if text == "" and default is not None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise InvalidEfficiency(file, line, column, text, "a number") from None
    if not math.isfinite(value) or value < 0:
        raise InvalidEfficiency(file, line, column, text, "a finite number of at least 0")
    return value


def _geometric(values: Iterable[float]) -> float:
    logs = [math.log(max(value, 1e-12)) for value in values]
    return math.exp(sum(logs) / len(logs))


UNTUNED = 0.6  # a fit below this share of the best memory efficiency beside it is a fallback kernel


def _mean_fit(fits: Sequence[Fit], level: int, origin: str) -> Fit:
    """Mean of like fits. Untuned kernels are software, not hardware: they stay out of a mean."""
    best = max(fit.eff_memory for fit in fits)
    fits = [fit for fit in fits if fit.eff_memory >= UNTUNED * best]
    return Fit(
        eff_compute=_geometric(fit.eff_compute for fit in fits),
        eff_memory=_geometric(fit.eff_memory for fit in fits),
        t0_s=sum(fit.t0_s for fit in fits) / len(fits),
        p=_geometric(fit.p for fit in fits),
        compute=fits[0].compute,
        level=level,
        origin=origin,
    )


def _mean_collective(fits: Sequence[CollectiveFit], level: int, origin: str) -> CollectiveFit:
    ranks = sorted({rank for fit in fits for rank in fit.ranks})
    known = [point for fit in fits for point in zip(fit.ranks, fit.alpha_s, fit.share, strict=True)]
    points = [[(alpha, share) for count, alpha, share in known if count == rank] for rank in ranks]
    return CollectiveFit(
        tuple(ranks),
        tuple(sum(a for a, _ in group) / len(group) for group in points),
        tuple(_geometric(s for _, s in group) for group in points),
        level,
        origin,
    )


Scope = tuple[str, str]  # (level name, key)


@dataclass(slots=True)
class EfficiencyTable:
    """Loaded efficiency data. `version` is a digest of the files: part of every estimate's inputs."""

    version: str
    operators: dict[tuple[Scope, str, str, str], Fit]  # scope, operation, software ("" mean), format
    collectives: dict[tuple[Scope, str, str], CollectiveFit]
    coefficients: dict[tuple[str, str, str], float]  # name, scope, scope name
    software: tuple[str, ...]  # every serving software that can be asked for
    defaults: dict[Scope, str] = field(default_factory=dict)  # software of chips where none is named
    calibration: Calibration | None = None
    acceptance: tuple[Acceptance, ...] = ()  # of drafted tokens, as published
    cache: dict[object, object] = field(default_factory=dict, repr=False)  # filled by lanes, per chip

    def fit(self, chip: Chip, operation: str, storage: str, compute: str | None, software: str | None) -> Fit:
        """The nearest fit for an operation of a chip; the data has one for every kind of chip."""
        candidates = (*format_candidates(operation, storage, compute), "")
        for level, scope in enumerate(_scopes(chip)):
            for position, candidate in enumerate(candidates):
                for name in (software or "", ""):
                    found = self.operators.get((scope, operation, name, candidate))
                    if found is not None:
                        exact = position == 0 or candidate == ""
                        origin = f"{LEVELS[level]} {scope[1]}" + (f", {candidate}" if candidate else "")
                        return Fit(
                            found.eff_compute,
                            found.eff_memory,
                            found.t0_s,
                            found.p,
                            found.compute,
                            level,
                            exact,
                            origin,
                        )
        raise KeyError(f"no {operation} efficiency for a {chip.efficiency_kind}")

    def collective(self, chip: Chip, operation: str, link: Link, software: str | None) -> CollectiveFit:
        """The nearest collective fit; links through the host have a default of their own."""
        scopes = list(_scopes(chip))
        if link.scope == "pcie" or link.topology == "host":
            scopes = [scopes[0], ("kind", "host_link")]
        for level, scope in enumerate(scopes):
            for name in (software or "", ""):
                found = self.collectives.get((scope, operation, name))
                if found is not None:
                    grade_level = 3 if scope[0] == "kind" else level
                    origin = f"{scope[0]} {scope[1]}"
                    return CollectiveFit(found.ranks, found.alpha_s, found.share, grade_level, origin)
        raise KeyError(f"no {operation} figures for a {chip.efficiency_kind}")

    def software_of(self, chip: Chip, asked: str | None) -> str | None:
        """The serving software asked for, else what the chip usually runs; None: a mean over the measured."""
        return asked or next((found for s in _scopes(chip) if (found := self.defaults.get(s))), None)

    def computes(self, chip: Chip, storage: str) -> bool:
        """Whether the chip's rate of a format's width takes that encoding; yes where nothing is said."""
        scopes: tuple[Scope, ...] = (*_scopes(chip), ("any", ""))
        name = f"computes_{storage}"
        return bool(next((self.coefficients[k] for s in scopes if (k := (name, *s)) in self.coefficients), 1))

    def mixes_prefill(self, software: str | None) -> float:
        """1 where the software computes prompts inside decode steps, 0 where in steps of their own."""
        return self.coefficients.get(
            ("mixes_prefill", "software", software or ""), self.coefficient("mixes_prefill")
        )

    def handover_s(self, software: str | None) -> float:
        """Seconds that a request spends between a prefill and a decode worker beside the transfer itself."""
        found = self.coefficients.get(("handover_us", "software", software or ""))
        return 1e-6 * (self.coefficient("handover_us") if found is None else found)

    def coefficient(self, name: str, chip: Chip | None = None, software: str | None = None) -> float:
        """A scalar coefficient, the nearest to the chip; its software stands before its kind."""
        scopes: list[Scope] = [*_scopes(chip)] if chip is not None else []
        if software is not None:
            scopes.insert(max(0, len(scopes) - 1), ("software", software))
        for scope in (*scopes, ("any", "")):
            found = self.coefficients.get((name, *scope))
            if found is not None:
                return found
        raise KeyError(f"no coefficient {name}")


def _scopes(chip: Chip) -> tuple[Scope, ...]:
    kind = chip.efficiency_kind
    return (
        ("chip", chip.slug),
        ("generation", f"{(chip.generation or '').lower()}/{kind}"),
        ("vendor", f"{chip.vendor.lower()}/{kind}"),
        ("kind", kind),
    )


def _read(directory: Path, file: str) -> list[tuple[int, dict[str, str]]]:
    with (directory / file).open(newline="", encoding="utf-8") as handle:
        return [(number, row) for number, row in enumerate(csv.DictReader(handle), start=2)]


def _row_scopes(row: Mapping[str, str]) -> list[Scope]:
    if row["scope"] != "chip" or row.get("link_class") == "host":
        return [(row["scope"], row["name"])]  # a card's PCIe collectives say nothing of its kin's fabric
    kind = row["kind"]
    return [
        ("chip", row["name"]),
        ("generation", f"{row['generation'].lower()}/{kind}"),
        ("vendor", f"{row['vendor'].lower()}/{kind}"),
    ]


def _load_operators(directory: Path) -> dict[tuple[Scope, str, str, str], Fit]:
    grouped: dict[tuple[Scope, str, str, str], list[Fit]] = defaultdict(list)
    file = FILES[0]
    for line, row in _read(directory, file):
        if not row["source"]:
            raise InvalidEfficiency(file, line, "source", "", "a source")
        share = _number(file, line, row, "eff_compute")
        if not 0 < share <= 1:
            raise InvalidEfficiency(file, line, "eff_compute", share, "a share above 0 and at most 1")
        fit = Fit(
            eff_compute=share,
            eff_memory=_number(file, line, row, "eff_memory", 1.0),
            t0_s=_number(file, line, row, "t0_us", 0.0) * 1e-6,
            p=_number(file, line, row, "p"),
            compute=row["compute"] or None,
        )
        for scope in _row_scopes(row):
            for software in {row["software"], ""}:
                grouped[(scope, row["operation"], software, row["format"])].append(fit)
    return {
        key: _mean_fit(fits, LEVELS.index(key[0][0]) if key[0][0] in LEVELS else 3, key[0][1])
        for key, fits in grouped.items()
    }


def _load_collectives(directory: Path) -> dict[tuple[Scope, str, str], CollectiveFit]:
    rows: dict[tuple[Scope, str, str], dict[str, list[tuple[int, float, float]]]] = {}
    file = FILES[1]
    for line, row in _read(directory, file):
        alpha = _number(file, line, row, "alpha_us") * 1e-6
        share = _number(file, line, row, "link_share")
        point = (int(_number(file, line, row, "ranks")), alpha, share)
        for scope in _row_scopes(row):
            for software in {row["software"], ""}:
                by_member = rows.setdefault((scope, row["operation"], software), defaultdict(list))
                by_member[f"{row['name']}/{row['software']}"].append(point)
    table: dict[tuple[Scope, str, str], CollectiveFit] = {}
    for key, members in rows.items():
        custom = {name: p for name, p in members.items() if name.rsplit("/", 1)[1] not in GENERAL_LIBRARIES}
        fits = []
        for points in (custom or members).values():
            points.sort()
            ranks, alphas, shares = zip(*points, strict=True)
            fits.append(CollectiveFit(ranks, alphas, shares, 0, ""))
        table[key] = _mean_collective(fits, 0, key[0][1])
    return table


def load_efficiency(directory: Path | None = None, *, calibrated: bool = True) -> EfficiencyTable:
    """Read the files of `directory` (default: the project's own), and the calibration where there is one.

    Raises InvalidEfficiency, InvalidAcceptance or InvalidCalibration.
    """
    directory = directory or DATA_DIRECTORY
    digest = hashlib.sha256()
    for file in FILES:
        digest.update((directory / file).read_bytes())
    coefficients: dict[tuple[str, str, str], float] = {}
    for line, row in _read(directory, FILES[2]):
        key = (row["name"], row["scope"], row["scope_name"])
        if key in coefficients:
            raise InvalidEfficiency(FILES[2], line, "name", row["name"], "one row per name and scope")
        coefficients[key] = _number(FILES[2], line, row, "value")
    operators = _load_operators(directory)
    listed = {row["software"] for _, row in _read(directory, FILES[3])}
    calibration = load_calibration(directory) if calibrated else None
    if calibration is not None:
        digest.update(calibration.version.encode())
    return EfficiencyTable(
        version=digest.hexdigest()[:16],
        operators=operators,
        collectives=_load_collectives(directory),
        coefficients=coefficients,
        software=tuple(sorted(listed | {key[2] for key in operators if key[2]})),
        defaults={(row["scope"], row["name"]): row["software"] for _, row in _read(directory, FILES[4])},
        calibration=calibration,
        acceptance=load_acceptance(directory),
    )
