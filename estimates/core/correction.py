"""Apply what measurements say to what the physics says: to single points, and to a block of the grid.

TPOT and TTFT are multiplied by exp(correction), TPOT not below the bytes it touches; throughput of a closed
loop follows by Little's law; that of a static batch and of a saturated benchmark has its own correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.facts import Workload
from estimates.core.identity import OWN_THROUGHPUT, Identity, identity_of
from estimates.core.lanes import Lane, Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.residuals import Component, Residuals, kernel
from estimates.core.scenarios import Served

Array = NDArray[np.floating]

TABLES = 1000  # load tables kept: a few for each set of workloads and batch sizes
LEAST_BATCH = 0.25  # requests a rank and slot, below which the coordinate no longer moves
LARGEST = 2.5  # log correction: a factor of twelve; more is another deployment than the one described


@dataclass(frozen=True, slots=True)
class Placed:
    """A point as the residuals see it."""

    identity: Identity
    features: Array  # (features,)


def serving_of(workload: Workload, *, pooled: bool) -> str:
    """How a workload is served, as measurements are grouped."""
    if pooled:
        return "disaggregated"
    if workload.arrival == "saturating":
        limited = workload.ttft_slo_s is not None or workload.tpot_slo_s is not None
        return "server" if limited else "offline"
    return workload.arrival


def coordinates_of(
    lane: Lane, pp: int, workload: Workload, concurrency: float, layers: int
) -> tuple[float, ...]:
    """Coordinates of a point of `concurrency` requests on a replica, before their logarithms are taken."""
    batch = max(concurrency / (lane.dp * max(1, min(pp, layers))), LEAST_BATCH)
    level = workload.tpot_slo_s if workload.arrival == "saturating" else None
    limit = 1.0 if level is None else level * 1e3
    return (batch, workload.isl, workload.osl, lane.tp, lane.ep, lane.dp, pp, limit)


def corrected(
    served: Served,
    placed: Sequence[Placed],
    queued: NDArray[np.bool_],
    floor: Array,
    osl: Array,
    residuals: Residuals,
) -> Served:
    """The results of points, shape (points, 1, 1), with their corrections; `floor` bounds TPOT from below.

    `queued`, shape (points,): requests wait for room, which is another kind of first token.
    """

    coordinates = np.stack([place.features for place in placed])
    own = [place.identity for place in placed]
    alone = np.array([identity.serving in OWN_THROUGHPUT for identity in own])
    every, waiting = np.arange(len(own)), np.flatnonzero(queued)

    def factors(metric: str, rows: NDArray[np.intp], identities: Sequence[Identity]) -> Array:
        """Of these rows' times, one elsewhere; shape (points, 1, 1)."""
        values = np.ones(len(own))
        if rows.size:
            logs = residuals.corrections(metric, identities, coordinates[rows])
            values[rows] = np.exp(np.clip(logs, -LARGEST, LARGEST))
        return values.reshape(-1, 1, 1)

    tpot = np.maximum(served.tpot * factors("tpot", every, own), np.minimum(floor, served.tpot))
    first = factors("ttft", every, own)
    loaded = served.ttft_loaded * first
    kept = factors("ttft", waiting, [own[row].of_first_token(queued=True) for row in waiting])
    waited = np.maximum(served.ttft_saturated * kept, loaded)
    saturated = np.where(queued.reshape(-1, 1, 1), waited, loaded)
    measured = np.flatnonzero(alone)
    rates = 1 / factors("throughput", measured, [own[row] for row in measured])
    alone = alone.reshape(-1, 1, 1)
    ratio = tpot / served.tpot
    little = loop_rate(served.ttft_loaded, served.tpot, loaded, tpot, osl)
    rate = np.where(alone, rates, little)
    unloaded = np.minimum(served.ttft_unloaded * np.minimum(first, 1.0), loaded)
    is_static = np.array([identity.serving == "static" for identity in own]).reshape(-1, 1, 1)
    return replace(
        served,
        tpot=tpot,
        ttft_unloaded=np.where(is_static, loaded - served.wait * first, unloaded),
        ttft_loaded=loaded,
        ttft_saturated=saturated,
        wait=served.wait * first,
        burst=served.burst * first,
        throughput=served.throughput * rate,
        decode_throughput=served.decode_throughput / ratio,
        interference=served.interference * ratio,
        hops=served.hops * ratio,
        e2e=np.where(is_static, served.e2e / rate, loaded + (osl - 1) * tpot),
        throughput_total=served.throughput_total * rate,
        prefill_tok_s=np.where(is_static, served.prefill_tok_s / first, served.prefill_tok_s * rate),
    )


def loop_rate(ttft_before: Array, tpot_before: Array, ttft: Array, tpot: Array, osl: Array) -> Array:
    """Factor on a closed loop's throughput: it keeps its population, so the cycle's change is the rate's.

    Where the first token is not known, that of TPOT alone.
    """
    before, after = ttft_before + (osl - 1) * tpot_before, ttft + (osl - 1) * tpot
    known = np.isfinite(after)
    return np.where(known, before / np.where(known, after, 1), tpot_before / tpot)


# ---- Blocks of the grid ----------------------------------------------------------------------------------


def block_factors(
    lanes: Lanes,
    lane_of: NDArray[np.intp],
    pp: NDArray[np.int64],
    batch: Array,
    isl: Array,
    osl: Array,
    identities: tuple[NDArray[np.intp], list[Identity]],
    residuals: Residuals,
    metrics: Sequence[str],
) -> list[Array | None]:
    """Factors on each metric's times, (rows, workloads or 1, batches or 1); None: all are one.

    In single precision. `identities` are those of `lane_identities`.
    A row's factor is that of its identity times, where kin were swept, a function of layout, workload and
    batch. Layouts are few and so are sets of kin: each pair of them is evaluated once and looked up by rows.
    """
    number, distinct = identities
    of_row = number[lane_of]
    layouts, layout_of = _layouts(lanes, lane_of, pp)
    lengths = np.log2(np.stack([isl.reshape(-1), osl.reshape(-1)], axis=1))
    size = np.log2(np.maximum(batch.reshape(-1, 1), LEAST_BATCH))
    shape = (len(lane_of), isl.size, batch.size)
    found: list[Array | None] = []
    for metric in metrics:
        offsets = np.array([residuals.offset(metric, identity) for identity in distinct])
        kin = [residuals.smooth(metric, identity) for identity in distinct]
        if not offsets.any() and not any(kin):
            found.append(None)
            continue
        constant = np.exp(np.clip(offsets, -LARGEST, LARGEST))[of_row].astype(np.float32)
        if not any(kin):
            found.append(constant.reshape(-1, 1, 1))
            continue
        families: dict[tuple[int, ...], int] = {}
        family = np.array([families.setdefault(tuple(id(p) for _, p in each), len(families)) for each in kin])
        pairs, pair_of = np.unique(family[of_row] * len(layouts) + layout_of, return_inverse=True)
        family_of, layout = np.divmod(pairs, len(layouts))
        asking: dict[int, tuple[Component, NDArray[np.intp], set[int]]] = {}
        for each, place in zip(kin, family, strict=True):
            for component, points in each:
                asking.setdefault(id(points), (component, points, set()))[2].add(int(place))
        swept = np.zeros((len(pairs), isl.size * batch.size), np.float32)
        for component, points, asked in asking.values():
            known, table = _load_table(component, points, lengths, size, residuals)
            rows = np.flatnonzero(np.isin(family_of, list(asked)))
            near = kernel(layouts, known, (component.lengths or ())[3:]).astype(np.float32)
            swept[rows] += (near @ table)[layout[rows]]
        factor = np.exp(swept)[pair_of]
        factor *= constant[:, None]
        if np.abs(offsets).max() + np.abs(swept).max() > LARGEST:
            np.clip(factor, np.exp(-LARGEST), np.exp(LARGEST), out=factor)
        found.append(factor.reshape(shape))
    return found


def _layouts(
    lanes: Lanes, lane_of: NDArray[np.intp], pp: NDArray[np.int64]
) -> tuple[Array, NDArray[np.intp]]:
    """(coordinates of the distinct layouts from `tp` on, position of each row's among them)."""
    sizes = [*(lanes.flat(name)[lane_of].astype(np.int64) for name in ("tp", "ep", "dp")), pp]
    code = np.zeros(len(lane_of), np.int64)
    for size in sizes:
        code = code * (int(size.max()) + 1) + size
    _, first, layout_of = np.unique(code, return_index=True, return_inverse=True)
    columns = [size[first].astype(float) for size in sizes]
    return np.log2(np.stack([*columns, np.ones(first.size)], axis=1)), layout_of


def _load_table(
    component: Component, points: NDArray[np.intp], lengths: Array, size: Array, residuals: Residuals
) -> tuple[Array, Array]:
    """What points add at every workload and batch, remembered: (coordinates of the distinct layouts that were

    run, what the points of each add, shape (distinct, workloads x batches)).
    """
    key = (id(points), component.sd, lengths.tobytes(), size.tobytes())
    if key not in residuals.tables:
        if len(residuals.tables) >= TABLES:
            residuals.tables.clear()
        known, length = residuals.points.features[points], component.lengths or ()
        work = kernel(known[:, 1:3], lengths, length[1:3])
        load = kernel(known[:, :1], size, length[:1])
        weights = component.sd**2 * residuals.points.weights[points]
        whole = (work[:, :, None] * (weights[:, None] * load)[:, None, :]).reshape(len(points), -1)
        layouts, layout_of = np.unique(known[:, 3:], axis=0, return_inverse=True)
        table = np.zeros((len(layouts), whole.shape[1]))
        np.add.at(table, layout_of.reshape(-1), whole)
        residuals.tables[key] = layouts, table.astype(np.float32)
    return residuals.tables[key]


def lane_identities(
    lanes: Lanes, models: ModelColumns, serving: str
) -> tuple[NDArray[np.intp], list[Identity]]:
    """(position of each lane's among the identities, these: of every model, chip, software and scheme)."""
    first, place = models.distinct(lanes.kinds)
    found = []
    for row in first:
        lane = lanes.lanes[row]
        chip, scheme = lane.variant.chip, lane.scheme.slug
        found.append(identity_of(chip, lane.software, scheme, models.architecture(row), serving))
    return place, found
