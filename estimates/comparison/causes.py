"""What may make two estimates differ, as groups of facts and choices that are swapped together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from math import isclose
from typing import Any, Final, Literal

from estimates.comparison.sides import Side
from estimates.core.choice import Choice
from estimates.core.facts import ModelFacts
from estimates.core.formats import rate_format

Part = Literal[
    "model", "workload", "chip", "shape", "format", "layout", "load", "options", "software", "table"
]
#: A fact stands in the catalogue or is asked; a choice is asked, or made by the estimator from the facts.
Kind = Literal["fact", "choice", "method", "price"]

TITLES: Final[dict[str, str]] = {
    "model": "model",
    "workload": "workload",
    "format": "number format",
    "software": "serving software",
    "memory_bandwidth": "memory bandwidth",
    "compute": "compute rate",
    "links": "links between chips",
    "capacity": "memory capacity",
    "options": "speculation, second memory tier",
    "layout": "layout and number of chips",
    "load": "requests in flight",
    "efficiency": "efficiency of the chip (measured kernels, calibration)",
    "method": "method",
    "choice": "deployment chosen anew",
    "price": "price of a chip",
}
KINDS: Final[dict[str, Kind]] = {
    "format": "choice",
    "software": "choice",
    "options": "choice",
    "layout": "choice",
    "load": "choice",
    "choice": "choice",
    "method": "method",
    "price": "price",
}
#: Figures that no speed rests on.
INERT: Final = ("tdp_w", "launch_price_usd")
_KNOWN_POINT: Final = {"lane", "pp", "workload", "concurrency", "prefill", "version"}
_KNOWN_LANE: Final = {"variant", "scheme", "kv_format", "tp", "dp", "ep", "software", "prompt_chip"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs: its name, unit, and what it is on either side."""

    field: str
    before: Any
    after: Any
    unit: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "before": self.before, "after": self.after, "unit": self.unit or None}


@dataclass(frozen=True, slots=True)
class Cause:
    """A group that is swapped as one: parts of the question, figures of the datasheet by name."""

    key: str
    title: str
    kind: Kind
    parts: frozenset[Part] = frozenset()
    quantities: frozenset[str] = frozenset()
    differences: tuple[Difference, ...] = ()


def group_of(quantity: str) -> str:
    """The cause that a figure of the datasheet belongs to; empty for one that no speed rests on."""
    if quantity in INERT or quantity.startswith("memory_tier:cache"):
        return ""
    if quantity.startswith("peak_rate:"):
        return "compute" if rate_format(quantity.removeprefix("peak_rate:")) else ""
    if quantity.startswith("link:") or quantity == "pcie_generation":
        return "links"
    if quantity.startswith("memory") and quantity.endswith("bandwidth_gbs"):
        return "memory_bandwidth"
    if quantity.startswith("memory"):
        return "capacity"
    return "efficiency"


def causes_between(before: Side, after: Side, unit_of: Callable[[str], str]) -> list[Cause]:
    """The groups in which two running sides differ, in the order in which a sequence swaps them."""
    found: list[Cause] = []

    def add(
        key: str, differences: Iterable[Difference], parts: Iterable[Part] = (), names: Iterable[str] = ()
    ) -> None:
        differing = tuple(differences)
        if differing:
            kind = KINDS.get(key, "fact")
            found.append(Cause(key, TITLES[key], kind, frozenset(parts), frozenset(names), differing))

    figures = _by_group(before, after)
    add(
        "model",
        _changed([("model", before.model.slug, after.model.slug)]) if before.model != after.model else (),
        ["model"],
    )
    add("workload", workload_differences(before, after), ["workload"])
    add("format", format_differences(before, after), ["format"])
    add("software", software_differences(before, after), ["software"])
    for key in ("memory_bandwidth", "compute", "links", "capacity"):
        names = figures.get(key, [])
        own = shape_differences(before, after) if key == "links" else []
        parts: list[Part] = ["shape"] if key == "links" else []
        add(key, [*figure_differences(before, after, names, unit_of), *own], parts, names)
    add("options", option_differences(before, after), ["options"])
    add("layout", layout_differences(before, after), ["layout"])
    add("load", load_differences(before, after), ["load"])
    names = figures.get("efficiency", [])
    add(
        "efficiency",
        [*identity_differences(before, after), *figure_differences(before, after, names, unit_of)],
        ["chip"],
        names,
    )
    if before.table is not after.table:
        add("method", [Difference("method", before.table.version, after.table.version)], ["table"])
    return found


def merged(
    causes: Sequence[Cause], belongs: Callable[[Cause], bool], key: str, title: str, kind: Kind
) -> list[Cause]:
    """The causes with those that belong together as one, in the place of the first of them."""
    members = [cause for cause in causes if belongs(cause)]
    if len(members) < 2:
        return list(causes)
    one = Cause(
        key,
        title,
        kind,
        frozenset().union(*(cause.parts for cause in members)),
        frozenset().union(*(cause.quantities for cause in members)),
        tuple(difference for cause in members for difference in cause.differences),
    )
    return [one if cause is members[0] else cause for cause in causes if cause not in members[1:]]


def is_link_or_layout(cause: Cause) -> bool:
    return bool(cause.parts & {"shape", "layout"}) or any(group_of(q) == "links" for q in cause.quantities)


def is_capacity_or_what_it_holds(cause: Cause) -> bool:
    held = bool(cause.parts & {"layout", "load"})
    return held or any(group_of(q) == "capacity" for q in cause.quantities)


def figure_causes(
    before: Side, after: Side, unit_of: Callable[[str], str], title: Callable[[str], str]
) -> list[Cause]:
    """One cause for each figure that differs; rates that the core reads as one are swapped together."""
    grouped: dict[str, list[str]] = {}
    for name in differing_figures(before, after):
        if group_of(name):
            grouped.setdefault(_swapped_with(name), []).append(name)
    return [
        Cause(
            f"figure:{key}",
            title(key),
            "fact",
            quantities=frozenset(names),
            differences=tuple(figure_differences(before, after, names, unit_of)),
        )
        for key, names in grouped.items()
    ]


def _swapped_with(name: str) -> str:
    """The figure that stands for those that the core takes for one another: rates of one width in 16 bit."""
    if not name.startswith("peak_rate:"):
        return name
    known = rate_format(name.removeprefix("peak_rate:"))
    return f"peak_rate:{'bf16' if known == 'fp16' else known}"


def differing_figures(before: Side, after: Side) -> list[str]:
    old, new = before.sheet.quantities, after.sheet.quantities
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _by_group(before: Side, after: Side) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name in differing_figures(before, after):
        if key := group_of(name):
            grouped.setdefault(key, []).append(name)
    return grouped


def figure_differences(
    before: Side, after: Side, names: Iterable[str], unit_of: Callable[[str], str]
) -> list[Difference]:
    old, new = before.sheet.quantities, after.sheet.quantities
    return [Difference(name, old.get(name), new.get(name), unit_of(name)) for name in names]


def _changed(rows: Iterable[tuple[str, Any, Any]], unit: str = "") -> list[Difference]:
    return [Difference(name, old, new, unit) for name, old, new in rows if old != new]


def workload_differences(before: Side, after: Side) -> list[Difference]:
    names = [entry.name for entry in fields(before.workload) if entry.name != "slug"]
    return _changed((name, getattr(before.workload, name), getattr(after.workload, name)) for name in names)


def format_differences(before: Side, after: Side) -> list[Difference]:
    old, new = chosen(before).point.lane, chosen(after).point.lane
    rows = [("weights", old.scheme.slug, new.scheme.slug), ("kv_format", old.kv_format, new.kv_format)]
    found = _changed(rows)
    if not found and before.model == after.model and old.scheme != new.scheme:
        found.append(Difference("stored groups of the weights", "other", "other"))
    return found


def software_differences(before: Side, after: Side) -> list[Difference]:
    old, new = chosen(before).point, chosen(after).point
    return _changed(
        [("software", old.lane.software, new.lane.software), ("software_version", old.version, new.version)]
    )


def layout_differences(before: Side, after: Side) -> list[Difference]:
    old, new = layout_values(before), layout_values(after)
    return _changed((name, old.get(name), new.get(name)) for name in old | new)


def layout_values(side: Side) -> dict[str, Any]:
    """Sizes of the deployment: chips, stages, replicas, the prefill pool, whatever else a lane is told."""
    choice = chosen(side)
    point, lane = choice.point, choice.point.lane
    found: dict[str, Any] = {
        "chips": side.shape.count,
        "tp": lane.tp,
        "pp": point.pp,
        "ep": lane.ep,
        "dp": lane.dp,
        "replicas": choice.replicas,
    }
    found |= {e.name: getattr(lane, e.name) for e in fields(lane) if e.name not in _KNOWN_LANE}
    pool = point.prefill
    if pool is not None:
        found["prefill"] = {
            "workers": pool.workers,
            "tp": pool.lane.tp,
            "pp": pool.pp,
            "ep": pool.lane.ep,
            "dp": pool.lane.dp,
        }
    return found


def option_names(side: Side) -> list[str]:
    """Options of serving that a point carries beside layout and load."""
    return [entry.name for entry in fields(chosen(side).point) if entry.name not in _KNOWN_POINT]


def option_differences(before: Side, after: Side) -> list[Difference]:
    old, new = chosen(before).point, chosen(after).point
    return [
        Difference(name, plain(getattr(old, name)), plain(getattr(new, name)))
        for name in option_names(before)
        if getattr(old, name) != getattr(new, name)
    ]


def plain(value: Any) -> Any:
    """A value of the core for JSON: a model by its slug."""
    if isinstance(value, ModelFacts):
        return value.slug
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    return list(value) if isinstance(value, tuple) else value


def load_differences(before: Side, after: Side) -> list[Difference]:
    """Requests in flight: none where they are as many, or as many on each chip."""
    if isclose(load_of(before), load_of(after)) or isclose(load_per_chip(before), load_per_chip(after)):
        return []
    return [Difference("concurrency", load_of(before), load_of(after))]


def load_of(side: Side) -> float:
    """Requests in flight on the whole offer."""
    choice = chosen(side)
    return choice.point.concurrency * choice.replicas


def load_per_chip(side: Side) -> float:
    return load_of(side) / side.shape.count


def shape_differences(before: Side, after: Side) -> list[Difference]:
    names = ("scale_up_gbs", "scale_up_domain", "scale_out_gbs")
    return _changed(
        (f"offer {name}", getattr(before.shape, name), getattr(after.shape, name)) for name in names
    )


def identity_differences(before: Side, after: Side) -> list[Difference]:
    """What efficiency data and measured runs are looked up by: the chip itself."""
    old, new = (
        replace(side.sheet, quantities={}, weakest="vendor", assumed=frozenset()) for side in (before, after)
    )
    names = [e.name for e in fields(old) if e.name not in ("quantities", "weakest", "assumed", "segment")]
    rows = [(name, getattr(old, name), getattr(new, name)) for name in names]
    rows += [
        (name, getattr(before.deployment, name), getattr(after.deployment, name))
        for name in ("decode_unit", "prefill_unit")
    ]
    rows.append(("units", plain(before.offer.chip.units), plain(after.offer.chip.units)))
    return _changed(("accelerator" if name == "slug" else name, old, new) for name, old, new in rows)


def chosen(side: Side) -> Choice:
    """The deployment of a side that runs."""
    if not isinstance(side.choice, Choice):
        raise TypeError("a side that does not run has no deployment to compare")
    return side.choice
