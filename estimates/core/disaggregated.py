"""Disaggregated serving: a pool of workers computes prompts, another decodes, the cache moves between them.

A closed population of requests is split by Little's law: those decoding are rate x (OSL - 1) x TPOT, the rest
wait for a prefill worker, are computed, or have their cache moved. Decode steps carry no prompts, so TPOT is
S(b, 0) at that population. The prefill pool is a queue of c servers with fixed service (M/D/c; waiting after
Sakasegawa, OR 1977, which is exact for one server), in which an arriving request meets the others only.
Requests in flight grow with the rate on both sides, so one rate fits a population; it is found by bisection
on the decoding population. Neither pool exceeds its own limit: prompts at full budget a second, the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.collectives import hop_s
from estimates.core.deployments import hop_link_is_up
from estimates.core.lanes import Lane, Lanes
from estimates.core.memory import RankMemory
from estimates.core.model_columns import ModelColumns
from estimates.core.roofline import Ledger
from estimates.core.scenarios import Served
from estimates.core.serving import Load, decode_step, prompt_step, stages_in_flight
from estimates.core.step import RESIDUAL_BYTES

Array = NDArray[np.floating]

BISECTIONS = 26
LEAST_STEPS = 0.01  # decode steps of a request that asks for one token only


@dataclass(frozen=True, slots=True)
class PrefillPool:
    """`workers` of `pp` stages of `lane` that compute prompts for `decode_workers` replicas of the point."""

    lane: Lane
    pp: int
    workers: int
    decode_workers: int

    @property
    def chips(self) -> int:
        return self.lane.group * self.pp * self.workers


@dataclass(slots=True)
class Prompts:
    """The prefill pool's side, arrays of shape (points, 1, 1); seconds, requests/s of the whole pool."""

    alone: Array  # one prompt through a worker
    service: Array  # a server's time a prompt where others wait: prompts share steps of the whole budget
    servers: Array
    rate_limit: Array  # prompts/s
    transfer: Array  # moving a prompt's cache
    request: Array  # transport, tokenising, admission to both pools
    ledger: Ledger
    rates_known: NDArray[np.bool_]


def transfer_time(
    pools: Sequence[PrefillPool],
    decode: Sequence[tuple[Lane, int]],
    decode_lanes: Lanes,
    decode_bytes: Array,
    prefill_bytes: Array,
) -> Array:
    """Seconds to move a prompt's cache: the fuller of a sending and a receiving rank, each over its own link.

    Scale-up where both pools lie within one domain, else scale-out. Bytes are those of one rank.
    """
    up = np.array(
        [
            hop_link_is_up(lane.variant, lane.group, pp * pool.decode_workers + -(-pool.chips // lane.group))
            for pool, (lane, pp) in zip(pools, decode, strict=True)
        ]
    ).reshape(-1, 1, 1)
    inverse = np.where(up, decode_lanes["up_inverse"], decode_lanes["out_inverse"])
    volume = np.maximum(decode_bytes, prefill_bytes).reshape(-1, 1, 1)
    return np.asarray(decode_lanes["pipeline_alpha_us"] + volume * inverse)


def prompt_pool(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    pools: Sequence[PrefillPool],
    transfer: Array,
    rates_known: NDArray[np.bool_],
    *,
    detailed: bool = False,
) -> Prompts:
    """Times of the prefill pool. `load` is one prompt on each rank."""

    def column(values: list[float]) -> Array:
        return np.array(values, float).reshape(-1, 1, 1)

    pp = column([pool.pp for pool in pools])
    stages = stages_in_flight(pp, models["layers"])
    hop_up = column([float(hop_link_is_up(p.lane.variant, p.lane.group, p.pp)) for p in pools])
    per_hop = (
        RESIDUAL_BYTES * models["hidden"] * np.where(hop_up > 0, lanes["up_inverse"], lanes["out_inverse"])
    )
    chunk = np.minimum(lanes["chunk_tokens"], load.isl)
    one = prompt_step(models, lanes, load, chunk, detailed=detailed)
    full = prompt_step(models, lanes, load, lanes["chunk_tokens"] + 0 * load.isl)
    hops = np.where(pp > 1, pp * hop_s(chunk, lanes["pipeline_alpha_us"], per_hop), 0)
    pieces = np.where(lanes["prefill_pipelining"] > 0, stages, 1)
    work = load.isl / chunk * one.total
    service = np.minimum(work, load.isl / lanes["chunk_tokens"] * full.total) / stages
    servers = column([float(pool.workers) for pool in pools]) * lanes["dp"]
    return Prompts(
        alone=work / pieces + hops,
        service=service,
        servers=servers,
        rate_limit=servers / service,
        transfer=transfer,
        request=lanes["request_us"] + lanes["handover"],
        ledger=one,
        rates_known=rates_known,
    )


def queue_wait(utilisation: Array, servers: Array, service: Array) -> Array:
    """Mean wait of M/D/c: half of Sakasegawa's M/M/c wait, u^(sqrt(2 (c + 1)) - 1) / (c (1 - u)) service."""
    used = np.clip(utilisation, 0, 1 - 1e-9)
    return np.asarray(used ** (np.sqrt(2 * (servers + 1)) - 1) / (servers * (1 - used)) * service / 2)


@dataclass(slots=True)
class Population:
    """Where the requests of one decode worker are; arrays of shape (points, 1, 1)."""

    decoding: Array
    rate: Array  # requests/s of one decode worker
    wait: Array
    burst: Array
    decode_bound: NDArray[np.bool_]  # the cache of the decode pool holds no more


def population(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    pp: Array,
    asked: Array,
    most: Array,
    decode_workers: Array,
    hop_inverse: Array,
    prompts: Prompts,
) -> Population:
    """Split `asked` requests a decode worker between decoding, at most `most`, and everything before it."""
    slots = lanes["dp"] * stages_in_flight(pp, models["layers"])
    context = load.context
    alpha = lanes["pipeline_alpha_us"]
    per_hop = RESIDUAL_BYTES * models["hidden"] * hop_inverse
    bubble = 1 + np.where(pp > 1, lanes["pipeline_bubble"], 0)
    steps = np.maximum(load.osl - 1, LEAST_STEPS)
    whole = asked * decode_workers
    others = np.maximum(whole - 1, 0) / np.maximum(whole, 1)
    first_wave = np.maximum(whole / prompts.servers - 1, 0) / 2 * prompts.service
    burst = lanes["pool_burst_share"] * first_wave
    before = prompts.alone + prompts.transfer + prompts.request + burst

    def rate_at(decoding: Array) -> Array:
        batch = np.maximum(1.0, decoding / slots)
        hops = np.where(pp > 1, pp * hop_s(batch * load.verify, alpha, per_hop), 0) / load.accepted
        token = decode_step(models, lanes, batch, context, load.drafts).total / load.accepted
        return decoding / (steps * (token * bubble + hops))

    def wait_at(rate: Array) -> Array:
        used = rate * decode_workers / prompts.rate_limit
        return queue_wait(used * others, prompts.servers, prompts.service)

    def enough(decoding: Array) -> NDArray[np.bool_]:
        rate = rate_at(decoding)
        possible = rate * decode_workers <= prompts.rate_limit
        return np.asarray(possible & (decoding + rate * (before + wait_at(rate)) <= asked))

    high = np.minimum(asked, most) + 0 * before
    bound = enough(high)
    low = np.where(bound, high, 0.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fits = enough(middle)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    decoding = np.where(bound, low, high)
    rate = np.minimum(rate_at(decoding), prompts.rate_limit / decode_workers)
    # By Little's law all that do not decode are before it; what the formula leaves is waiting.
    spent = (asked - decoding) / rate - before
    wait = np.where(bound, wait_at(rate), np.maximum(spent, 0))
    return Population(decoding, rate, wait, burst + 0 * rate, bound)


def pooled_loop(
    load: Load,
    asked: Array,
    decode_workers: Array,
    prompts: Prompts,
    split: Population,
    tpot: Array,
    hops: Array,
    running: Array,
    full: Array,
) -> Served:
    """What a benchmark sees, of one decode worker: times the decode workers it is the deployment's rate.

    `full` is the chance that the decode pool holds no more (`scenarios.chance_full`).
    """
    known = prompts.rates_known
    zero = 0 * tpot
    before = prompts.alone + prompts.transfer + prompts.request
    loaded = before + split.wait + split.burst
    decoding = (load.osl - 1) * tpot
    # Where the decode pool is full its rate stands; elsewhere the population itself gives it.
    rate = np.where(split.decode_bound, split.rate, asked / (loaded + decoding))
    rate = np.minimum(rate, split.rate)
    prompt = load.prefix + load.isl
    waiting = np.maximum(loaded, asked / rate - decoding)

    def where_known(values: Array) -> Array:
        return np.where(known, values + zero, np.nan)

    throughput = where_known(rate * load.osl)
    return Served(
        tpot=tpot,
        ttft_unloaded=where_known(before),
        ttft_loaded=where_known(loaded),
        wait=where_known(split.wait),
        burst=where_known(split.burst),
        throughput=throughput,
        decode_throughput=split.decoding / tpot,
        interference=zero,
        hops=hops + zero,
        running=running + zero,
        prefill_share=where_known(np.minimum(rate * decode_workers / prompts.rate_limit, 1)),
        e2e=where_known(loaded + decoding),
        throughput_total=throughput * (1 + prompt / load.osl),
        prefill_tok_s=throughput * prompt / load.osl,
        ttft_saturated=where_known(loaded ** (1 - full) * waiting**full),
    )


def rank_cache_bytes(memory: RankMemory, prompt: Array, pp: Array) -> Array:
    """Bytes of a prompt's cache on one rank of one stage, shape (points,)."""
    return np.asarray(memory.cache(prompt.reshape(-1, 1))[:, 0] / pp.reshape(-1))
