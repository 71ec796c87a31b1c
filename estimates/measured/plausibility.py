"""Which published figures can be: complete rows, and a time per token that the memory of the chips allows.

A decoding step reads every distinct weight that its tokens use and the cache of every sequence, from memories
that together give count x datasheet bandwidth. A figure whose time per token is below `FLOOR_SHARE` of that
was not measured as it says. The floor counts each weight once a worker, never its copies, and attends to the
mean context; it is taken at the row's stated formats, and not at all where format or count is not stated.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from estimates.core.deployments import resolve_kv, resolve_scheme
from estimates.core.facts import Chip, ModelFacts
from estimates.core.formats import FORMATS, WeightScheme
from estimates.core.lowering import lower
from estimates.core.memory import group_bytes
from estimates.core.step import distinct_experts
from estimates.measured.questions import RANDOM_LENGTHS, RANDOM_LENGTHS_MEAN, is_static
from estimates.measured.runs import Run
from estimates.what_if import Question

FLOOR_SHARE: Final = 0.95
#: Flags of rows that are reported apart.
APART: Final = frozenset({"incomplete_deployment", "speculative", "mlperf_open", "anomaly"})
INDEX_KEY_BYTES: Final = 1.0


def is_complete(run: Run) -> bool:
    """Whether the run carries none of the flags that set it apart."""
    return not run.flags & APART


def bytes_touched(
    model: ModelFacts,
    scheme: WeightScheme,
    kv_format: str,
    sequences: float,
    context: float,
    workers: int = 1,
    routing_skew: float = 1.0,
) -> float:
    """Bytes that one token of each of `sequences` sequences at `context` tokens reads, over all chips.

    Each of `workers` holds the weights and decodes its share: dense weights are read once by each, of the
    routed experts the distinct ones that its tokens choose, E (1 - (1 - k / E)^(s T)).
    """
    lowered = lower(model.architecture)
    weights = group_bytes(model.architecture, scheme)
    dense = sum(weights[name] for name in ("attention", "dense_ffn", "shared_experts", "head", "other"))
    tokens = np.asarray(max(1.0, sequences / workers))
    routed = 0.0
    for experts, count in lowered.experts:
        one = experts.matrices * experts.width * experts.intermediate * scheme.group("routed_experts").bytes
        routed += count * one * float(distinct_experts(experts, tokens, np.asarray(routing_skew)))
    one_rank = np.ones(())
    reach = np.asarray(context)
    cache = 0.0
    for read, count in lowered.reads:
        entry = float(read.elements(one_rank)) * FORMATS[kv_format].bytes
        cache += count * float(read.attended(reach)) * entry
    for index, count in lowered.indexes:
        cache += count * context / index.compression * index.head_dim * INDEX_KEY_BYTES
    for state, count in lowered.states:
        cache += count * state.elements * state.bytes_per_element
    return workers * (dense + routed) + sequences * cache


def tpot_floor_s(run: Run, question: Question, model: ModelFacts, chip: Chip, skew: float) -> float | None:
    """Seconds a token takes at least: bytes touched over all bandwidth. None where a fact is missing.

    Of a disaggregated deployment the chips that decode count alone. Raises UnknownFormat.
    """
    bandwidth, asked = chip.memory.bandwidth, question.deployment
    if None in (bandwidth, run.weight_format, run.n_accelerators):
        return None
    scheme = resolve_scheme(asked.weights, model)
    kv_format = resolve_kv(asked.kv_format, scheme, chip)
    share = RANDOM_LENGTHS_MEAN if RANDOM_LENGTHS in run.flags else 1.0
    context = share * ((run.isl or 0.0) + (run.osl or 0.0) / 2)
    workers, count = asked.replicas or 1, question.count
    if asked.prefill is not None and asked.tp is not None:
        count = workers * asked.tp * (asked.pp or 1) * (asked.dp or 1)
    touched = bytes_touched(model, scheme, kv_format, decoding(run), context, workers, skew)
    return touched / (count * float(bandwidth or 0))


def decoding(run: Run) -> float:
    """Sequences that decode at once, by Little's law where TTFT was measured with TPOT; 1 where unknown."""
    asked = run.concurrency or 1.0
    found = dict(run.metrics)
    if is_static(run) or "ttft_ms" not in found or "tpot_ms" not in found or not run.osl:
        return asked if is_static(run) or "tpot_ms" in found else 1.0
    answer = max(run.osl - 1, 0) * found["tpot_ms"]
    return max(1.0, asked * answer / (answer + found["ttft_ms"]))


def tpot_at_most_s(run: Run, metric: str, value: float) -> float | None:
    """The longest time per token that a figure leaves room for; None where it says nothing of one."""
    batch = run.concurrency or (1.0 if is_static(run) else None)
    match metric:
        case "tpot_ms":
            return value / 1e3
        case "decode_tok_s_per_user":
            return 1 / value
        case "e2e_latency_s" if run.osl and run.osl > 1:
            return value / (run.osl - 1)
    if not is_static(run) or batch is None:
        return None
    if run.scenario == "decode" and metric == "output_tok_s_total":
        return batch / value
    if not run.osl or run.osl <= 1:
        return None
    tokens = {
        "output_tok_s_total": batch * run.osl,
        "output_tok_s_per_accel": batch * run.osl / (run.n_accelerators or 1),
        "total_tok_s": batch * ((run.isl or 0.0) + run.osl),
    }.get(metric)
    return None if tokens is None else tokens / value / (run.osl - 1)


def is_possible(longest_s: float | None, floor_s: float | None) -> bool:
    """Whether a figure's time per token keeps the floor; what says nothing of one is possible."""
    return longest_s is None or floor_s is None or longest_s >= FLOOR_SHARE * floor_s
