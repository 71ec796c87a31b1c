"""Serving figures beyond a closed loop's steady state, and the loop of a static batch.

A static batch of b requests starts together: b x ISL prompt tokens are computed in chunks of the software's
budget, each token attending to its own prompt, then all b decode at the mean context to their end. What the
cache does not hold, or the software does not admit, follows in further batches of equal size.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from estimates.core.collectives import hop_s
from estimates.core.efficiency import EfficiencyTable
from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.serving import Load, Loop, StepTimes, stages_in_flight
from estimates.core.step import RESIDUAL_BYTES

Array = NDArray[np.floating]

LIMIT_SPREAD = 0.1  # of the logarithm of what a replica runs at once
BUDGET_SPREAD = 0.05  # share of the memory budget by which reserves and workspaces are off
LOGISTIC = 1.702  # the logistic function of 1.702 z is within 0.01 of the normal law of z


@dataclass(slots=True)
class Served(Loop):
    """A loop's results with what a user and a benchmark see of it. Seconds and tokens/s of one replica."""

    e2e: Array  # a request from its sending to its last token; a static batch: until its last token
    throughput_total: Array  # input and output tokens/s
    prefill_tok_s: Array  # prompt tokens/s: of a static batch while it is computed, else of the loop
    ttft_saturated: Array  # mean with the wait for cache space, by Little's law; the loaded one where none


def served_loop(loop: Loop, load: Load, asked: Array, full: Array) -> Served:
    """A closed loop with `asked` clients a replica, of which those that the cache holds are in flight.

    `full` is the chance that some wait for a place; the mean first token lies, in the logarithm, between that
    of those who do not wait and that of all clients by Little's law.
    """
    prompt = load.prefix + load.isl
    decoding = (load.osl - 1) * loop.tpot
    waiting = np.maximum(loop.ttft_loaded, asked * load.osl / loop.throughput - decoding)
    return Served(
        **{entry.name: getattr(loop, entry.name) for entry in fields(Loop)},
        e2e=loop.ttft_loaded + decoding,
        throughput_total=loop.throughput * (1 + prompt / load.osl),
        prefill_tok_s=loop.throughput * prompt / load.osl,
        ttft_saturated=loop.ttft_loaded ** (1 - full) * waiting**full,
    )


def chance_full(asked: Array, limit: Array, room_share: Array) -> Array:
    """Chance that `asked` requests are more than a replica runs: its limit is itself an estimate.

    `room_share` is what weights and reserves leave for caches, as a share of the memory budget. The logarithm
    of the true limit is spread by 0.1, and by 0.05 over that share, because the room is the small difference
    of budget and weights. Logistic form of the normal law.
    """
    spread = LIMIT_SPREAD + BUDGET_SPREAD / np.maximum(room_share, 1e-3)
    with np.errstate(over="ignore", divide="ignore"):  # far below the limit, or nobody: the chance 0
        return np.asarray(1 / (1 + np.exp(-LOGISTIC * np.log(asked / limit) / spread)))


def merged(first: Served, second: Served, where: NDArray[np.bool_]) -> Served:
    """The second where the mask says so, else the first."""
    return Served(
        **{
            entry.name: np.where(where, getattr(second, entry.name), getattr(first, entry.name))
            for entry in fields(Served)
        }
    )


def placed(whole: Served, part: Served, rows: NDArray[np.intp]) -> Served:
    """The whole with these rows taken from a part."""
    values = {}
    for entry in fields(Served):
        values[entry.name] = np.array(getattr(whole, entry.name), float)
        values[entry.name][rows] = getattr(part, entry.name)
    return Served(**values)


def static_batch(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    times: StepTimes,
    pp: Array,
    in_flight: Array,
    waves: Array,
    hop_inverse: Array,
    rates_known: NDArray[np.bool_],
) -> Served:
    """`waves` batches one after the other of `in_flight` requests each on a replica of `pp` stages.

    `times` are those of a load whose `together` is the prompts on a rank. Chunks of different prompts pass a
    pipeline's stages at once, chunks of one prompt one after the other. No transport is counted.
    """
    dp, osl = lanes["dp"], load.osl
    stages = stages_in_flight(pp, models["layers"])
    staged = pp > 1
    prompt = load.prefix + load.isl
    per_token_hop = RESIDUAL_BYTES * models["hidden"] * hop_inverse
    alpha = lanes["pipeline_alpha_us"]
    hop_decode = np.where(
        staged, pp * hop_s(load.batch * load.verify, alpha, per_token_hop) / load.accepted, 0
    )
    hop_chunk = np.where(staged, pp * hop_s(times.chunk, alpha, per_token_hop), 0)
    sequences = np.maximum(1, in_flight / dp)
    chunks = load.isl * sequences / times.chunk
    streams = np.minimum(stages, sequences)
    piecewise = lanes["prefill_pipelining"] > 0
    prefill = np.where(
        piecewise,
        chunks * times.prefill / stages + np.where(staged, times.decode_half * times.accepted, 0),
        (chunks + streams - 1) / streams * times.prefill,
    )
    first = prefill + hop_chunk
    bubble = 1 + np.where(staged, lanes["pipeline_bubble"], 0)
    tpot = times.decode * bubble + hop_decode
    wave = first + (osl - 1) * tpot
    wait = (waves - 1) / 2 * wave
    nan = np.nan
    zero = 0 * tpot

    def known(values: Array) -> Array:
        return np.where(rates_known, values + zero, nan)

    asked = in_flight * waves
    whole = waves * wave
    return Served(
        tpot=tpot,
        ttft_unloaded=known(first),
        ttft_loaded=known(first + wait),
        wait=known(wait),
        burst=known(zero),
        throughput=known(asked * osl / whole),
        decode_throughput=in_flight / tpot,
        interference=zero,
        hops=hop_decode + zero,
        running=load.batch + zero,
        prefill_share=known(first / wave),
        e2e=known(whole),
        throughput_total=known(asked * (prompt + osl) / whole),
        prefill_tok_s=known(in_flight * prompt / first),
        ttft_saturated=known(first + wait),
    )


def sequence_limit(lanes: Lanes, table: EfficiencyTable) -> Array:
    """Sequences that the software lets a replica run, shape (lanes,); infinite where it sets no limit.

    The limit is of one engine: each data-parallel rank has its own.
    """
    known: dict[tuple[str | None, bool], float] = {}
    small_bytes = table.coefficient("max_sequences_small_bytes")
    limits = []
    for lane in lanes.lanes:
        held = lane.variant.chip.memory.addressable_bytes
        key = (lane.software, held is not None and held < small_bytes)
        if key not in known:
            known[key] = _engine_limit(table, *key)
        limits.append(known[key] * lane.dp)
    return np.array(limits, float)


def _engine_limit(table: EfficiencyTable, software: str | None, small: bool) -> float:
    """Sequences one engine of this software runs by default; 0 in the data: no limit but the cache."""
    names = ("max_sequences_small", "max_sequences") if small else ("max_sequences",)
    keys = [(name, "software", software or "") for name in names] + [("max_sequences", "any", "")]
    limit = next(table.coefficients[key] for key in keys if key in table.coefficients)
    return limit or np.inf
