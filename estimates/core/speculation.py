"""Speculative decoding and multi-token prediction: what drafting costs in time and memory.

n tokens are drafted and verified with one more in a single step of the model. Drafting is n passes of the
model's own multi-token-prediction module, n decode steps of a smaller model on the same chips, or a look-up
in the text that takes the host's time alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from estimates.core.acceptance import tokens_per_step
from estimates.core.architecture import Architecture
from estimates.core.deployments import holds_experts, on_chip, resolve_scheme
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Speculation
from estimates.core.lanes import Lane, Lanes, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import RankMemory, rank_memory
from estimates.core.model_columns import ModelColumns, alone
from estimates.core.model_table import ModelTable
from estimates.core.operations import Gemm, Lowered
from estimates.core.roofline import Ledger
from estimates.core.step import decode_time, prefill_attention_time, token_time

Array = NDArray[np.floating]

_NO_HOST = ("host_step_us", "host_sequence_us")  # the host's step is the verifying one's


@lru_cache(maxsize=512)
def module_architecture(architecture: Architecture) -> Architecture:
    """One multi-token-prediction module as a model of its own; embedding and head are the main model's."""
    if architecture.mtp is None:
        raise ValueError("the architecture has no multi-token-prediction module")
    return replace(architecture, layers=(architecture.mtp.layer,), extra=(), mtp=None, encoder=None)


@lru_cache(maxsize=512)
def lower_module(architecture: Architecture) -> Lowered:
    """The operations of one module: its block, and the projection of two hidden states onto one."""
    lowered, mtp = lower(module_architecture(architecture)), architecture.mtp
    hidden = architecture.hidden
    if mtp is None or mtp.extra_parameters < 2 * hidden * hidden:
        return lowered
    joined = Gemm("draft projection", "attention", 2 * hidden, replicated=hidden)
    return replace(lowered, gemms=(*lowered.gemms, (joined, 1)))


@lru_cache(maxsize=512)
def _module_table(architecture: Architecture) -> ModelTable:
    return ModelTable.of([module_architecture(architecture)], [lower_module(architecture)])


def draft_lane(lane: Lane, speculation: Speculation) -> Lane:
    """The lane that drafts: the same chips and cache format, the draft model's own weights."""
    model = speculation.draft_model
    if model is None:
        return lane
    scheme = on_chip(resolve_scheme(speculation.draft_weights, model), lane.variant.chip)
    spread = lane.ep > 1 and holds_experts(lower(model.architecture), lane.ep)
    return replace(lane, scheme=scheme, ep=lane.ep if spread else 1)


@dataclass(slots=True)
class Drafter:
    """What drafts on some of the caller's rows (all where `rows` is None)."""

    speculation: Speculation
    models: ModelColumns | None  # of what drafts; None: a look-up in the text
    lanes: Lanes
    rows: NDArray[np.intp] | None = None
    architecture: Architecture | None = None  # of the main model, where a module of its own drafts

    def add(self, batch: Array, context: Array, ledger: Ledger) -> None:
        """Drafting for one step of `batch` sequences on every rank."""
        n = self.speculation.draft_tokens
        if self.models is None:
            ledger.plain("drafting", "overhead", batch * self.lanes["host_sequence_us"])
            return
        one = Ledger(detailed=ledger.detailed)
        token_time(self.models, self.lanes, batch, one)
        decode_time(self.models, self.lanes, batch, context, one)
        # A module's first pass takes all verified tokens, whose hidden states are new to it.
        first = Ledger(detailed=ledger.detailed)
        token_time(self.models, self.lanes, batch * (n + 1 if self.speculation.method == "mtp" else 1), first)
        decode_time(self.models, self.lanes, batch, context, first)
        ledger.total = ledger.total + first.total + (n - 1) * one.total
        for limit in one.limits:
            seconds = first.limits[limit] + (n - 1) * one.limits[limit]
            ledger.limits[limit] = ledger.limits[limit] + seconds
            ledger.operations["drafting"] = ledger.operations["drafting"] + seconds

    def prompt_s(self, chunk: Array, isl: Array, prefix: Array) -> Array:
        """Seconds to pass `chunk` prompt tokens through what drafts, so that it has their cache."""
        if self.models is None:
            return np.zeros_like(chunk)
        ledger = Ledger()
        token_time(self.models, self.lanes, chunk, ledger)
        prefill_attention_time(self.models, self.lanes, chunk, isl, prefix, ledger)
        return ledger.total

    def prompt_extra_s(self, tokens: Array, carried: Array, chunk: Array, isl: Array, prefix: Array) -> Array:
        """The same where the chunk rides on a draft pass of `tokens`."""
        if self.models is None:
            return np.zeros_like(chunk)
        plain, mixed, attention = Ledger(), Ledger(), Ledger()
        token_time(self.models, self.lanes, tokens, plain)
        token_time(self.models, self.lanes, tokens + carried, mixed)
        prefill_attention_time(self.models, self.lanes, chunk, isl, prefix, attention)
        return np.asarray(np.maximum(mixed.total - plain.total, 0) * (chunk / carried) + attention.total)


@dataclass(slots=True)
class Drafts:
    """The drafters of a caller's lanes, with tokens verified and accepted a step as columns (rows, 1, 1)."""

    drafters: tuple[Drafter, ...]
    verify: Array
    accepted: Array

    def step(self, batch: Array, context: Array, *, detailed: bool = False) -> Ledger:
        """Drafting of one step, of every row; zero where nothing is drafted."""
        whole = Ledger(detailed=detailed)
        shape = np.broadcast_shapes(batch.shape, context.shape, self.verify.shape)
        for drafter in self.drafters:
            part = Ledger(detailed=detailed)
            own_batch, own_context = _rows(drafter.rows, shape, batch, context)
            drafter.add(own_batch, own_context, part)
            whole.total = whole.total + _placed(part.total, drafter.rows, shape)
            for name, seconds in part.operations.items():
                whole.operations[name] = whole.operations[name] + _placed(seconds, drafter.rows, shape)
            for name, seconds in part.limits.items():
                whole.limits[name] = whole.limits[name] + _placed(seconds, drafter.rows, shape)
        return whole

    def prompt_s(self, chunk: Array, isl: Array, prefix: Array) -> Array:
        """Seconds that a prompt step of every row is longer."""
        shape = np.broadcast_shapes(chunk.shape, self.verify.shape)
        total: Array = np.zeros((1, 1, 1), chunk.dtype)
        for drafter in self.drafters:
            found = drafter.prompt_s(*_rows(drafter.rows, shape, chunk, isl, prefix))
            total = total + _placed(found, drafter.rows, shape)
        return total

    def prompt_extra_s(self, tokens: Array, carried: Array, chunk: Array, isl: Array, prefix: Array) -> Array:
        """Seconds that a decode step of every row is longer for carrying a prompt's chunk."""
        shape = np.broadcast_shapes(tokens.shape, chunk.shape, self.verify.shape)
        total: Array = np.zeros((1, 1, 1), chunk.dtype)
        for drafter in self.drafters:
            given = _rows(drafter.rows, shape, tokens, carried, chunk, isl, prefix)
            total = total + _placed(drafter.prompt_extra_s(*given), drafter.rows, shape)
        return total

    def take(self, rows: NDArray[np.intp]) -> Drafts:
        """The drafters of these rows of the caller, repeated as often as asked."""
        taken = []
        for drafter in self.drafters:
            own = np.arange(len(self.verify)) if drafter.rows is None else drafter.rows
            place = {int(row): at for at, row in enumerate(own)}
            kept = [(new, place[int(row)]) for new, row in enumerate(rows) if int(row) in place]
            if kept:
                new, old = (np.array(values, np.intp) for values in zip(*kept, strict=True))
                taken.append(replace(drafter, lanes=drafter.lanes.take(old), rows=new))
        return Drafts(tuple(taken), self.verify[rows], self.accepted[rows])

    def held(self, memory: RankMemory) -> RankMemory:
        """The ranks' memory with weights and cache of what drafts."""
        count = len(memory.capacity)
        beside, growing, fixed = np.array(memory.beside + np.zeros(count)), memory.growing, memory.fixed
        growing, fixed = growing.copy(), fixed.copy()
        windows = list(memory.windows)
        for drafter in self.drafters:
            spec, architecture = drafter.speculation, drafter.architecture
            if drafter.models is None:
                continue
            rows = np.arange(count) if drafter.rows is None else drafter.rows
            if architecture is None:
                own = rank_memory(drafter.models, drafter.lanes)
                weights = own.layers + own.split["embedding"] + own.split["head"]
                copies = 1
            else:
                own = rank_memory(alone(module_architecture(architecture)), drafter.lanes)
                mtp = architecture.mtp
                copies = min(spec.draft_tokens, mtp.modules if mtp else 1)
                weights = copies * (own.layers + _joining_bytes(architecture, drafter.lanes))
            beside[rows] += weights
            growing[rows] += copies * own.growing
            fixed[rows] += copies * own.fixed
            for window, values in own.windows:
                tokens, per_token = np.ones(count), np.zeros(count)
                tokens[rows], per_token[rows] = window, copies * values
                windows.append((tokens, per_token))
        return replace(memory, beside=beside, growing=growing, fixed=fixed, windows=tuple(windows))


def _joining_bytes(architecture: Architecture, lanes: Lanes) -> Array:
    """Projection and norms of one module, on every rank."""
    extra = architecture.mtp.extra_parameters if architecture.mtp else 0
    return np.array([extra * lane.scheme.group("attention").bytes for lane in lanes.lanes])


def _rows(rows: NDArray[np.intp] | None, shape: tuple[int, ...], *arrays: Array) -> list[Array]:
    if rows is None:
        return [np.asarray(array) for array in arrays]
    return [
        np.asarray(array) if np.shape(array)[0] == 1 and shape[0] > 1 else np.asarray(array)[rows]
        for array in arrays
    ]


def _placed(values: Array, rows: NDArray[np.intp] | None, shape: tuple[int, ...]) -> Array:
    """A drafter's rows among the caller's, zero elsewhere."""
    if rows is None:
        return values
    whole = np.zeros((shape[0], *np.broadcast_shapes(values.shape[1:], shape[1:])))
    whole[rows] = values
    return whole


def drafts_of(
    models: ModelColumns,
    lanes: Sequence[Lane],
    speculations: Sequence[Speculation | None],
    table: EfficiencyTable,
    dtype: type[np.floating] = np.float64,
    *,
    bandwidth_scale: float = 1.0,
    compute_scale: float = 1.0,
) -> Drafts | None:
    """The drafters of lanes, grouped by what they draft with; None where nothing speculates.

    Every speculation must have its acceptance. One that all lanes share is evaluated on them as they stand.
    """
    groups: dict[tuple[Speculation, int], list[int]] = {}
    for row, speculation in enumerate(speculations):
        if speculation is not None:
            main = models.number(row) if speculation.method == "mtp" else 0
            groups.setdefault((speculation, main), []).append(row)
    if not groups:
        return None
    count = len(lanes)
    verify, accepted = np.ones((count, 1, 1), dtype), np.ones((count, 1, 1), dtype)
    drafters = []
    for (speculation, main), rows in groups.items():
        if speculation.acceptance is None:
            raise ValueError("a speculation without its acceptance cannot be evaluated")
        at = np.array(rows, np.intp)
        verify[at] = speculation.draft_tokens + 1
        accepted[at] = tokens_per_step(speculation.acceptance, speculation.draft_tokens)
        built = build_lanes(
            [draft_lane(lanes[row], speculation) for row in rows],
            table,
            dtype,
            bandwidth_scale=bandwidth_scale,
            compute_scale=compute_scale,
        )
        drafting: ModelColumns | None = None
        architecture: Architecture | None = None
        if speculation.method == "mtp":
            architecture = models.table.architectures[main]
            drafting = ModelColumns(_module_table(architecture), None, dtype)
        elif speculation.draft_model is not None:
            drafting = alone(speculation.draft_model.architecture, dtype)
        if drafting is not None:
            built.columns = dict(built.columns)
            for name in _NO_HOST:
                built.columns[name] = np.zeros_like(built.columns[name])
        whose = None if len(rows) == count else at
        drafters.append(Drafter(speculation, drafting, built, whose, architecture))
    return Drafts(tuple(drafters), verify, accepted)
