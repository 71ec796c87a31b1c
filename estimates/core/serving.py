"""From step times to serving: TPOT, TTFT and throughput of a closed loop with in-flight batching.

With b sequences decoding on a rank, S(b, 0) the time of a pure decode step and S(b, m) of one that also
carries m prompt tokens (m = min(chunk, ISL)), each finished request brings ISL / m such chunks every OSL
steps: TPOT = S(b, 0) + f (b - 1) ISL / (OSL m) [S(b, m) - S(b, 0)]. Software that computes prompts in steps
of their own pays S(0, m) in place of the bracket, and a prompt then carries no decode step along. The batch
that decodes is b less the share of a request's life spent in prefill. Throughput follows from Little's law:
b OSL / (TTFT + (OSL - 1) TPOT). A pipeline of pp stages keeps pp micro-batches in flight: a token passes all
layers, so its time is that of all stages plus the hops, and the throughput is that of the batches together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.collectives import hop_s
from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.roofline import Ledger, power
from estimates.core.speculation import Drafts
from estimates.core.step import RESIDUAL_BYTES, decode_time, prefill_attention_time, token_time

Array = NDArray[np.floating]

MAXIMUM_UTILISATION = 0.95


@dataclass(slots=True)
class Load:
    """Workload columns and batch sizes, shapes (lanes or 1, workloads, 1) and (lanes or 1, 1, batches)."""

    isl: Array  # prompt tokens to be computed, cached prefix excluded
    prefix: Array  # prompt tokens whose cache is kept
    osl: Array
    batch: Array  # sequences decoding on one attention rank and pipeline slot
    together: Array | float = 1.0  # prompts of one rank that are computed as one, back to back
    drafts: Drafts | None = None  # what drafts tokens that a step then verifies; None: a token a step

    @property
    def context(self) -> Array:
        """Mean context of a decoding sequence: the prompt and half of the answer."""
        return np.asarray(self.prefix + self.isl + self.osl / 2)

    def take(self, rows: NDArray[np.intp]) -> Load:
        """These rows of loads that have one a row."""
        drafts = None if self.drafts is None else self.drafts.take(rows)
        return Load(self.isl[rows], self.prefix[rows], self.osl[rows], self.batch[rows], drafts=drafts)

    @property
    def verify(self) -> Array | int:
        """Tokens of a sequence that one step computes."""
        return 1 if self.drafts is None else self.drafts.verify

    @property
    def accepted(self) -> Array | int:
        """Tokens of a sequence that one step yields."""
        return 1 if self.drafts is None else self.drafts.accepted


@dataclass(slots=True)
class StepTimes:
    """Seconds of the steps a closed loop is made of, and their ledgers where detail was asked.

    Under speculation S(b, 0) is a step with its drafting over the tokens that it yields.
    """

    decode: Array  # S(b, 0), a token
    decode_half: Array  # S(b / 2, 0), a token
    chunk_extra: Array  # S(b, m) - S(b, 0)
    prefill: Array  # S(0, m), one sequence
    chunk: Array  # m
    decode_ledger: Ledger
    chunk_ledger: Ledger
    accepted: Array | int = 1  # tokens of a sequence that a decode step yields


def step_times(models: ModelColumns, lanes: Lanes, load: Load, *, detailed: bool = False) -> StepTimes:
    """Evaluate each distinct step once over lanes x workloads x batches."""
    batch = load.batch
    context = load.context.astype(batch.dtype)
    plain = Ledger(detailed=detailed)
    token_time(models, lanes, batch * load.verify, plain)
    decode = _decoding(models, lanes, batch, context, load.drafts, plain.copy())
    half = decode_step(models, lanes, batch / 2, context, load.drafts)
    prompts = np.asarray(load.isl * load.together)
    chunk = np.minimum(lanes["chunk_tokens"], prompts).astype(batch.dtype)
    mixed = Ledger()
    # Prompts that fall on one decode step hide under its weights together, not each by itself.
    falling = lanes["interference_share"] * np.maximum(batch - 1, 0) * load.isl / load.osl * load.accepted
    carried = np.clip(falling, chunk, np.maximum(chunk, lanes["chunk_tokens"])).astype(batch.dtype)
    token_time(models, lanes, batch * load.verify + carried, mixed)
    attention = Ledger()
    prefill_attention_time(models, lanes, chunk, load.isl.astype(batch.dtype), load.prefix, attention)
    prefill = prompt_step(models, lanes.for_prompts, load, chunk, detailed=detailed)
    chunk_extra = np.maximum(mixed.total - plain.total, 0) * (chunk / carried) + attention.total
    if load.drafts is not None:
        isl = load.isl.astype(batch.dtype)
        chunk_extra = chunk_extra + load.drafts.prompt_extra_s(batch, carried, chunk, isl, load.prefix)
    return StepTimes(
        decode=decode.total / load.accepted,
        decode_half=half.total / load.accepted,
        chunk_extra=chunk_extra,
        prefill=prefill.total,
        chunk=chunk,
        decode_ledger=decode,
        chunk_ledger=prefill,
        accepted=load.accepted,
    )


def launches_s(models: ModelColumns, lanes: Lanes) -> Array:
    """Seconds that a step with prompt tokens waits for the host: its kernels are launched one by one.

    Decode steps are replayed as graphs of known sizes; expert layers launch more kernels, some of which need
    the routing on the host. The prompt's own first token waits for them; of the decoding sequences that share
    the step no such wait is seen in published runs.
    """
    experts = lanes["prefill_expert_layer_us"] * models["expert_layers"]
    return np.asarray(lanes["prefill_layer_us"] * models["layers"] + experts)


def decode_step(
    models: ModelColumns,
    lanes: Lanes,
    batch: Array,
    context: Array,
    drafts: Drafts | None = None,
    *,
    detailed: bool = False,
) -> Ledger:
    """S(b, 0): a step that decodes `batch` sequences on every rank and carries no prompt; with `drafts` it

    verifies their tokens, and drafting them is part of it.
    """
    ledger = Ledger(detailed=detailed)
    verify = 1 if drafts is None else drafts.verify
    token_time(models, lanes, batch * verify, ledger)
    return _decoding(models, lanes, batch, context, drafts, ledger)


def _decoding(
    models: ModelColumns, lanes: Lanes, batch: Array, context: Array, drafts: Drafts | None, ledger: Ledger
) -> Ledger:
    """A ledger of the tokens that pass, with what decoding and drafting them adds."""
    decode_time(models, lanes, batch, context, ledger, 1 if drafts is None else drafts.verify)
    if drafts is not None:
        ledger.add(drafts.step(batch, context, detailed=ledger.detailed))
    return ledger


def prompt_step(
    models: ModelColumns, lanes: Lanes, load: Load, chunk: Array, *, detailed: bool = False
) -> Ledger:
    """S(0, m): a step of m = `chunk` prompt tokens on every rank, of one prompt or of several."""
    ledger = Ledger(detailed=detailed)
    token_time(models, lanes, chunk, ledger)
    prefill_attention_time(models, lanes, chunk, load.isl.astype(chunk.dtype), load.prefix, ledger)
    sequences = np.maximum(1, chunk / load.isl.astype(chunk.dtype))
    ledger.plain("host", "overhead", lanes["host_step_us"] + lanes["host_sequence_us"] * sequences)
    ledger.plain("kernel launches", "overhead", launches_s(models, lanes))
    if load.drafts is not None:
        isl = load.isl.astype(chunk.dtype)
        ledger.plain("drafting", "compute", load.drafts.prompt_s(chunk, isl, load.prefix))
    return ledger


@dataclass(slots=True)
class Loop:
    """A closed loop's steady state. Seconds and tokens/s of one replica; NaN where a rate is missing."""

    tpot: Array
    ttft_unloaded: Array
    ttft_loaded: Array  # mean
    wait: Array  # mean part of it that is queueing
    burst: Array  # part of the mean that the first wave of a benchmark adds
    throughput: Array  # output tokens/s, Little's law
    decode_throughput: Array  # the same without prefill: concurrency / TPOT
    interference: Array  # part of TPOT that other requests' prompts cause
    hops: Array  # part of TPOT between stages
    running: Array  # sequences decoding on a rank and slot
    prefill_share: Array  # share of the machine's time that prompts take


def stages_in_flight(pp: Array, layers: Array | float) -> Array:
    """Micro-batches a pipeline holds: its stages, at most one a layer."""
    return np.minimum(pp, layers)


def closed_loop(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    times: StepTimes,
    pp: Array,
    in_flight: Array,
    hop_inverse: Array,
    rates_known: NDArray[np.bool_],
) -> Loop:
    """Steady state with `in_flight` requests on a replica of `pp` stages; arrays broadcast.

    `in_flight` is at most batch x dp x stages. `hop_inverse` is seconds per byte between stages.
    """
    batch, osl, isl = load.batch, load.osl, load.isl
    dp = lanes["dp"]
    stages = stages_in_flight(pp, models["layers"])
    per_token_hop = RESIDUAL_BYTES * models["hidden"] * hop_inverse
    staged = pp > 1
    alpha = lanes["pipeline_alpha_us"]
    hop_decode = np.asarray(
        np.where(staged, pp * hop_s(batch * load.verify, alpha, per_token_hop) / load.accepted, 0)
    )
    hop_chunk = np.asarray(np.where(staged, pp * hop_s(times.chunk, alpha, per_token_hop), 0))
    chunks = isl / times.chunk
    others = np.maximum(in_flight - 1, 0) / (dp * stages)
    events = lanes["interference_share"] * others * chunks / osl
    mixes = lanes["mixes_prefill"] > 0
    chunk_cost = np.where(mixes, times.chunk_extra, times.prefill)
    interference = events * chunk_cost
    bubble = 1 + np.where(staged, lanes["pipeline_bubble"], 0)
    interference = interference * bubble
    full = times.decode * bubble + hop_decode
    # Prompts of one request pass the stages one after the other, or stream through them in pieces.
    pieces = np.where(lanes["prefill_pipelining"] > 0, stages, 1)
    own_prefill = chunks * times.prefill / pieces
    half = times.decode_half * times.accepted
    unloaded = own_prefill + hop_chunk + np.where(pieces > 1, half, 0) + lanes["request_us"]
    alone = in_flight <= 1
    service = chunks * times.prefill / stages
    queued = np.maximum(in_flight / dp - 1, 0)
    lockstep = lanes["rank_lockstep_share"]
    met = np.maximum(in_flight * (lockstep + (1 - lockstep) / dp) - 1, 0)
    burst = lanes["burst_share"] * power(met, lanes["burst_exponent"]) / 2 * service
    mixed = times.decode * times.accepted + times.chunk_extra + launches_s(models, lanes)
    carrying = np.where(mixes, mixed, times.prefill)
    shared = chunks * carrying / pieces + hop_chunk + lanes["request_us"]
    base = np.where(alone, unloaded, np.maximum(shared, unloaded))
    tpot = full + interference
    slope = np.maximum(times.decode - times.decode_half, 0) / (batch / 2)
    running = batch
    wait = np.zeros_like(tpot)
    for _ in range(2):
        cycle = base + wait + (osl - 1) * tpot
        load_share = np.minimum(in_flight / dp * service / cycle, MAXIMUM_UTILISATION)
        wait = np.where(alone, 0, load_share / (2 * (1 - load_share)) * service)
        wait = np.minimum(wait, queued * service)
        decoding = (osl - 1) * tpot / np.maximum(base + wait + (osl - 1) * tpot, 1e-12)
        running = np.clip(decoding * batch, np.minimum(batch, 1.0), batch)
        tpot = full - slope * np.minimum(batch - running, batch / 2) + interference
    # Work is conserved: prompts alone cannot take less than their arithmetic, the rest waits for it.
    prompt_work = in_flight / (dp * stages) * chunks * chunk_cost
    decoding_time = (osl - 1) * tpot
    # Prompts of others delay the first token or the later ones, not both: all prompts one after the other,
    # then all answers together, is a schedule that nothing need exceed.
    wave = in_flight / (dp * stages) * chunks * times.prefill + hop_chunk + lanes["request_us"]
    wait = np.minimum(wait, np.maximum(wave + (osl - 1) * full - base - decoding_time, 0))
    wait = wait + np.maximum(prompt_work - (base + wait + burst + decoding_time), 0)
    loaded = base + wait + burst
    cycle = loaded + decoding_time
    nan = np.float32(np.nan)
    every = bool(rates_known.all())

    def known(values: Array, other: Array | np.floating | float = nan) -> Array:
        """These values where the rates of prompts are known."""
        return values if every else np.where(rates_known, values, other)

    pace = known(tpot, full)
    return Loop(
        tpot=pace,
        ttft_unloaded=known(unloaded),
        ttft_loaded=known(loaded),
        wait=known(wait),
        burst=known(burst + 0 * wait),
        throughput=known(in_flight * osl / cycle),
        decode_throughput=in_flight / pace,
        interference=known(interference + 0 * tpot, 0),
        hops=hop_decode + 0 * tpot,
        running=running + 0 * tpot,
        prefill_share=known(np.minimum(prompt_work / cycle, 1)),
    )
