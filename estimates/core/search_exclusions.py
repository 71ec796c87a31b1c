"""Why a candidate is out of a search: the limit that no configuration keeps, how far off, what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.cluster import joined
from estimates.core.demand import Bounds, Candidate, Change, Demand, Excluded
from estimates.core.deployments import resolve_kv, schemes_for
from estimates.core.fit import CHANGE_KINDS, smallest_changes
from estimates.core.lanes import Lane
from estimates.core.points import Point, evaluate_points
from estimates.core.search_ask import Ask
from estimates.core.search_exact import Exact
from estimates.core.search_scores import Scored

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]

UNITS = {
    "tpot": "s",
    "ttft": "s",
    "chips": "chips",
    "machines": "machines",
    "watts": "W",
    "usd_per_hour": "USD/h",
}
WORDS = {
    "tpot": "time per output token",
    "ttft": "time to first token",
    "chips": "chips",
    "machines": "machines",
    "watts": "rated power",
    "usd_per_hour": "price an hour",
    "concurrency": "requests on a replica",
}


@dataclass(frozen=True, slots=True)
class Nearest:
    """The limit that keeps a candidate out and the best value that any configuration reaches."""

    constraint: str
    value: float
    limit: float
    together: str = ""  # the other limit that it cannot be kept with
    most_users: float = 0.0  # most that fit within the bounds: users, or requests a second


def nearest(judged: Scored, demand: Demand, bounds: Bounds) -> Nearest:
    """Of a candidate that runs the model but keeps not all limits: the first limit that cannot be kept.

    Service levels come first, each alone and then both together, then each bound, then the bounds together.
    """
    levels = {
        name: (values, limit, kept)
        for name, values, limit, kept in (
            ("tpot", judged.tpot, demand.tpot_s, judged.tpot_ok),
            ("ttft", judged.ttft, demand.ttft_s, judged.ttft_ok),
        )
        if limit is not None
    }
    for name, (values, limit, kept) in levels.items():
        if not kept.any():
            return Nearest(name, float(np.nanmin(np.where(judged.running, values, np.nan))), limit)
    served = judged.tpot_ok & judged.ttft_ok
    if not served.any():
        return _together({name: (v, limit) for name, (v, limit, _) in levels.items()}, judged.running)
    totals: dict[str, tuple[Array, float]] = {}
    for name, kept in judged.bounds_ok.items():
        limit = float(getattr(bounds, name))
        totals[name] = judged.totals[name], limit
        if not (served & kept).any():
            least = float(np.nanmin(np.where(served, judged.totals[name], np.nan)))
            return Nearest(name, least, limit, most_users=_most(judged, demand, bounds, served))
    joint = _together(totals, served)
    return replace(joint, most_users=_most(judged, demand, bounds, served))


def _together(limits: dict[str, tuple[Array, float]], among: Mask) -> Nearest:
    """The configuration whose worst excess over several limits is the least; its worst limit."""
    ratios = np.stack([np.where(among, values / limit, np.inf) for values, limit in limits.values()])
    worst = np.where(np.isnan(ratios), 0, ratios).max(axis=0)
    place = int(np.argmin(worst))
    names = list(limits)
    name = names[int(np.argmax(np.nan_to_num(ratios.reshape(len(names), -1)[:, place])))]
    values, limit = limits[name]
    others = ", ".join(WORDS[other] for other in names if other != name)
    return Nearest(name, float(values.reshape(-1)[place]), limit, others)


def _most(judged: Scored, demand: Demand, bounds: Bounds, served: Mask) -> float:
    """Most users (or requests a second) that machines within the bounds carry, spare replicas included."""
    if demand.is_open:
        return 0.0
    affordable = [
        np.floor(getattr(bounds, name) * judged.machines / judged.totals[name] + 1e-9)
        for name in judged.bounds_ok
    ]
    units = np.floor(np.min(affordable, axis=0) / judged.cluster)
    replicas = np.maximum(units * judged.per_unit - demand.spare, 0)
    each = judged.in_flight if demand.concurrency is not None else judged.requests_per_s
    carried = np.where(served, replicas * each, 0)
    return float(np.nan_to_num(carried).max(initial=0))


def exceeded(rows: Exact, row: int, demand: Demand) -> Nearest:
    """The limit that a deployment breaks by a hair when it is evaluated exactly."""
    values = {
        "tpot": (rows.tpot[demand.tpot_at], demand.tpot_s),
        "ttft": (rows.ttft[demand.ttft_at], demand.ttft_s),
    }
    over = [
        Nearest(name, float(found[row]), limit)
        for name, (found, limit) in values.items()
        if limit is not None and found[row] > limit
    ]
    held = Nearest("concurrency", rows.chosen[row].load, float(rows.evaluated.capacity[row]))
    return max(over, key=lambda one: one.value / one.limit, default=held)


def out_of_bounds(number: int, candidate: Candidate, found: Nearest, demand: Demand) -> Excluded:
    """A candidate that runs the model and keeps not every limit, in words."""
    name = found.constraint
    unit = UNITS[name]
    scale, shown = (1e3, "ms") if unit == "s" else (1.0, unit)
    at = {"tpot": f" ({demand.tpot_at})", "ttft": f" ({demand.ttft_at})"}.get(name, "")
    detail = (
        f"{WORDS[name]}{at} is at least {found.value * scale:.4g} {shown}, "
        f"{found.value / found.limit:.3g} times the limit of {found.limit * scale:.4g} {shown}"
    )
    if found.together:
        detail += f", where the limit on {found.together} is nearest to being kept too"
    change = None
    if found.most_users >= 1 and demand.concurrency is not None:
        most = int(found.most_users)
        change = Change("concurrency", most, f"{most} users instead of {demand.concurrency}")
    elif found.most_users > 0 and demand.requests_per_s is not None:
        rate = f"{found.most_users:.4g} requests a second instead of {demand.requests_per_s:g}"
        change = Change("requests_per_s", found.most_users, rate)
    slug = candidate.offer.slug
    return Excluded(number, slug, name, found.value, found.limit, unit, detail, change)


@dataclass(frozen=True, slots=True)
class Unfit:
    """A candidate that holds the model in no configuration, and the one that came nearest."""

    candidate: int
    lane: Lane
    pp: int
    cluster: int


def out_of_memory(ask: Ask, unfit: Sequence[Unfit]) -> list[Excluded]:
    """Candidates without room: bytes needed and held on the fullest chip, the smallest change that would fit.

    A shorter context where weights fit; a narrower format where formats were bounded; else more chips.
    """
    if not unfit:
        return []
    model, candidates, workload, efficiency = ask.model, ask.candidates, ask.workload, ask.efficiency
    points = [Point(one.lane, one.pp, workload, 1.0) for one in unfit]
    evaluated = evaluate_points(model, points, efficiency, corrected=False)
    short = evaluated.cache_per_request - evaluated.usable
    kinds, values = smallest_changes(evaluated, np.ones(len(points), np.bool_))
    narrower = _narrower(ask, unfit)
    found = []
    for row, one in enumerate(unfit):
        offer = joined(candidates[one.candidate].offer, one.cluster) or candidates[one.candidate].offer
        kind, value = CHANGE_KINDS[kinds[row]], float(values[row])
        change: Change | None = None
        if kind == "context":
            tokens = workload.isl + workload.osl
            change = Change("context", int(value), f"a context of {value:.0f} tokens instead of {tokens:.0f}")
        elif one.candidate in narrower:
            scheme = narrower[one.candidate]
            change = Change("format", scheme, f"weights in {scheme} instead of {one.lane.scheme.slug}")
        elif kind == "chips":
            chips = f"{value:.0f} chips instead of {offer.count}"
            if offer.scale_up is None and offer.scale_out is None:
                chips += ", whose link is not known"
            change = Change("chips", int(value), chips)
        else:
            change = Change("", None, "no number of these chips holds it")
        most = float(evaluated.memory.capacity[row])
        detail = f"{short[row] / 1e9:.2f} GB more are needed on each chip in {one.lane.scheme.slug}"
        found.append(
            Excluded(
                one.candidate,
                candidates[one.candidate].offer.slug,
                "memory",
                most + float(short[row]),
                most,
                "B",
                detail,
                change,
            )
        )
    return found


def _narrower(ask: Ask, unfit: Sequence[Unfit]) -> dict[int, str]:
    """Candidate -> the widest format outside the bounds in which it would fit, laid out as it is."""
    if ask.bounds.formats is None:
        return {}
    points: list[Point] = []
    owners: list[tuple[int, float, str]] = []
    for one in unfit:
        chip = ask.candidates[one.candidate].offer.chip
        for scheme in schemes_for(ask.model, chip, ask.efficiency):
            lane = replace(one.lane, scheme=scheme, kv_format=resolve_kv(ask.bounds.kv_format, scheme, chip))
            points.append(Point(lane, one.pp, ask.workload, 1.0))
            bits = scheme.group("routed_experts").bits + scheme.group("attention").bits
            owners.append((one.candidate, bits, scheme.slug))
    if not points:
        return {}
    fits = evaluate_points(ask.model, points, ask.efficiency, corrected=False).fits
    widest: dict[int, tuple[float, str]] = {}
    for (candidate, bits, slug), held in zip(owners, fits, strict=True):
        if held and (candidate not in widest or bits > widest[candidate][0]):
            widest[candidate] = bits, slug
    return {candidate: slug for candidate, (_, slug) in widest.items()}
