"""Apply what measurements say to what the physics says: to single points, and to a block of the grid.

TPOT and TTFT are multiplied by exp(correction), TPOT not below the bytes it touches; throughput of a closed
loop follows by Little's law; that of a static batch and of a saturated benchmark has its own correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.architecture import Architecture
from estimates.core.facts import Workload
from estimates.core.identity import OWN_THROUGHPUT, Identity, identity_of
from estimates.core.lanes import Lane, Lanes
from estimates.core.residuals import Component, Residuals
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


def features_of(lane: Lane, pp: int, workload: Workload, concurrency: float, layers: int) -> Array:
    """Coordinates of a point of `concurrency` requests on a replica."""
    slots = lane.dp * max(1, min(pp, layers))
    batch = max(concurrency / slots, LEAST_BATCH)
    level = workload.tpot_slo_s if workload.arrival == "saturating" else None
    limit = 1.0 if level is None else level * 1e3
    values = (batch, workload.isl, workload.osl, lane.tp, lane.ep, lane.dp, pp, limit)
    return np.log2(np.array(values, float))


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

    def logs(metric: str, identities: Sequence[Identity]) -> Array:
        members: dict[Identity, list[int]] = {}
        for row, identity in enumerate(identities):
            members.setdefault(identity, []).append(row)
        values = np.empty(len(identities))
        for identity, rows in members.items():
            values[rows] = residuals.correction(metric, identity, coordinates[rows])
        return np.clip(values, -LARGEST, LARGEST).reshape(-1, 1, 1)

    own = [place.identity for place in placed]
    waiting = [
        identity.of_first_token(queued=bool(waits)) for identity, waits in zip(own, queued, strict=True)
    ]
    alone = np.array([identity.serving in OWN_THROUGHPUT for identity in own])
    alone = alone.reshape(-1, 1, 1)
    tpot = np.maximum(served.tpot * np.exp(logs("tpot", own)), np.minimum(floor, served.tpot))
    first = np.exp(logs("ttft", own))
    loaded = served.ttft_loaded * first
    waited = np.maximum(served.ttft_saturated * np.exp(logs("ttft", waiting)), loaded)
    saturated = np.where(queued.reshape(-1, 1, 1), waited, loaded)
    ratio = tpot / served.tpot
    little = loop_rate(served.ttft_loaded, served.tpot, loaded, tpot, osl)
    rate = np.where(alone, np.exp(-logs("throughput", own)), little)
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


def block_corrections(
    lanes: Lanes,
    lane_of: NDArray[np.intp],
    pp: NDArray[np.int64],
    batch: Array,
    isl: Array,
    osl: Array,
    identities: Sequence[Identity],
    residuals: Residuals,
    metric: str,
) -> Array | None:
    """Log corrections of shape (rows, workloads, batches); None where all are zero.

    Coordinates factor over rows, workloads and batches, so that a smooth component is one matrix product
    for all rows of an identity.
    """
    rows = len(lane_of)
    total = np.zeros((rows, isl.size, batch.size), np.float32)
    groups: dict[Identity, list[int]] = {}
    for row, lane in enumerate(lane_of):
        groups.setdefault(identities[lane], []).append(row)
    names = ("tp", "ep", "dp")
    sizes = np.stack(
        [*(lanes.flat(name)[lane_of] for name in names), pp.astype(float), np.ones(rows)], axis=1
    )
    layout = np.log2(sizes)
    lengths = np.log2(np.stack([isl.reshape(-1), osl.reshape(-1)], axis=1))
    size = np.log2(np.maximum(batch.reshape(-1, 1), LEAST_BATCH))
    touched = False
    for identity, members in groups.items():
        offset = residuals.offset(metric, identity)
        smooth = residuals.smooth(metric, identity)
        if not offset and not smooth:
            continue
        touched = True
        at = np.array(members, np.intp)
        total[at] += np.float32(offset)
        for component, points in smooth:
            known = residuals.points.features[points]
            own = _kernel(layout[at], known[:, 3:], np.asarray(component.lengths)[3:])
            table = _load_table(component, points, lengths, size, residuals)
            total[at] += (own @ table).reshape(at.size, isl.size, batch.size)
    if not touched:
        return None
    return np.asarray(np.clip(total, -LARGEST, LARGEST))


def _load_table(
    component: Component, points: NDArray[np.intp], lengths: Array, size: Array, residuals: Residuals
) -> Array:
    """What each point adds at every workload and batch, shape (points, workloads x batches); remembered."""
    key = (id(points), component.sd, lengths.tobytes(), size.tobytes())
    if key not in residuals.tables:
        if len(residuals.tables) >= TABLES:
            residuals.tables.clear()
        known, length = residuals.points.features[points], np.asarray(component.lengths)
        work = _kernel(lengths, known[:, 1:3], length[1:3])
        load = _kernel(size, known[:, :1], length[:1])
        weights = (component.sd**2 * residuals.points.weights[points]).astype(np.float32)
        whole = work.T[:, :, None] * (weights[:, None] * load.T)[:, None, :]
        residuals.tables[key] = whole.reshape(len(points), -1)
    return residuals.tables[key]


def _kernel(left: Array, right: Array, lengths: Array) -> Array:
    """Squared-exponential kernel of rows of two coordinate tables, float32 (left, right)."""
    scaled = (left[:, None, :] - right[None]) / lengths
    return np.exp(-0.5 * (scaled**2).sum(-1)).astype(np.float32)


def lane_identities(lanes: Sequence[Lane], architecture: Architecture, serving: str) -> list[Identity]:
    """The identity of each lane; equal chips, software and schemes share one."""
    known: dict[tuple[int, int, str | None], Identity] = {}
    found = []
    for lane in lanes:
        key = (id(lane.variant.chip), id(lane.scheme), lane.software)
        if key not in known:
            chip, scheme = lane.variant.chip, lane.scheme.slug
            known[key] = identity_of(chip, lane.software, scheme, architecture, serving)
        found.append(known[key])
    return found
