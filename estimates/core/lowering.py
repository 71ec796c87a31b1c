"""Lower an architecture into the operations of one step, merged by shape.

A layer becomes matrix products, cache reads, state updates, grouped expert products, collectives and small
kernels. Equal shapes are merged with their count, so that each distinct one is evaluated once per step.
Products follow the projection sizes of the published architectures; latent attention runs in its absorbed
form (DeepSeek-V2, arXiv 2405.04434).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    GatedDeltaNet,
    Indexer,
    KimiDeltaAttention,
    LatentAttention,
    LayerGroup,
    LightningAttention,
    Mamba1,
    Mamba2,
    Mixer,
    MixtureOfExperts,
    RecurrentMixer,
    ShortConvolution,
)
from estimates.core.kv_cache import STATE_BYTES_FP32, state_of
from estimates.core.operations import CacheRead, Experts, Gemm, IndexRead, Lowered, StateUpdate


class _Builder:
    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.gemms: Counter[Gemm] = Counter()
        self.reads: Counter[CacheRead] = Counter()
        self.indexes: Counter[IndexRead] = Counter()
        self.states: Counter[StateUpdate] = Counter()
        self.experts: Counter[Experts] = Counter()
        self.tally: Counter[str] = Counter()
        self.tensor_divisors: set[int] = set()
        self.expert_divisors: set[int] = set()

    def layer_group(self, group: LayerGroup) -> None:
        for mixer in group.mixers:
            self.mixer(mixer, group.count)
        for block in group.feed_forwards:
            if isinstance(block, DenseFeedForward):
                self.dense("dense_ffn", "feed-forward", block.intermediate, block.gated, group.count)
                self.tally["dense_layers"] += group.count
                self.tally["dense_reductions"] += group.count
            else:
                self.mixture(block, group.count)
        if not group.feed_forwards:
            self.tally["dense_layers"] += group.count

    def mixer(self, mixer: Mixer, count: int) -> None:
        hidden = self.architecture.hidden
        projects = True
        match mixer:
            case Attention():
                self.attention(mixer, count)
                projects = mixer.projects_output
            case LatentAttention():
                self.latent_attention(mixer, count)
            case _:
                self.recurrent(mixer, hidden, count)
        if projects:
            self.tally["mixer_reductions"] += count

    def attention(self, mixer: Attention, count: int) -> None:
        hidden, heads = self.architecture.hidden, mixer.heads
        width = mixer.input_width or hidden
        query = mixer.heads * mixer.head_dim * (2 if mixer.output_gate else 1)
        own_kv = mixer.owns_kv and not mixer.cross
        head_width = (mixer.head_dim + (0 if mixer.keys_are_values else mixer.v_head_dim)) if own_kv else 0
        kv_heads = mixer.kv_heads if own_kv else 0
        self.tensor_divisors.add(mixer.heads)
        if mixer.q_lora_rank:
            self.gemm("attention projections", width, count, replicated=mixer.q_lora_rank)
            self.gemm("attention projections", mixer.q_lora_rank, count, sharded=query, heads=heads)
            query = 0
        if query or kv_heads:
            self.gemm(
                "attention projections",
                width,
                count,
                sharded=query,
                kv_heads=kv_heads,
                head_width=head_width,
                heads=heads,
            )
        attended = mixer.heads * mixer.v_head_dim
        if mixer.projects_output:
            if mixer.output_lora_rank:
                inner = mixer.output_groups * mixer.output_lora_rank
                per_group = attended // mixer.output_groups
                self.gemm("attention projections", per_group, count, sharded=inner)
                self.gemm("attention projections", inner, count, replicated=hidden, k_sharded=True)
            else:
                self.gemm(
                    "attention projections", attended, count, replicated=hidden, k_sharded=True, heads=heads
                )
        if mixer.indexer:
            self.indexer(mixer.indexer, mixer.q_lora_rank or hidden, mixer.kv_compression, count)
        flop = 2 * (mixer.head_dim + mixer.v_head_dim)
        self.reads[
            CacheRead(
                heads=mixer.heads,
                kv_heads=mixer.kv_heads,
                entry=mixer.head_dim + (0 if mixer.caches_keys_only else mixer.v_head_dim),
                latent=0,
                decode_flop=flop,
                prefill_flop=flop,
                window=mixer.window,
                top_k=mixer.indexer.top_k if mixer.indexer else mixer.sparse_top_k,
                compression=mixer.kv_compression,
                fixed_tokens=(self.architecture.cross_tokens or 0) if mixer.cross else None,
            )
        ] += count

    def latent_attention(self, mixer: LatentAttention, count: int) -> None:
        hidden, heads = self.architecture.hidden, mixer.heads
        latent = mixer.kv_lora_rank + mixer.qk_rope_head_dim
        query = mixer.heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim)
        self.tensor_divisors.add(mixer.heads)
        if mixer.q_lora_rank:
            self.gemm("attention projections", hidden, count, replicated=mixer.q_lora_rank + latent)
            self.gemm("attention projections", mixer.q_lora_rank, count, sharded=query, heads=heads)
        else:
            self.gemm("attention projections", hidden, count, sharded=query, replicated=latent, heads=heads)
        up = mixer.heads * (mixer.qk_nope_head_dim + mixer.v_head_dim)
        self.gemm("latent up-projection", mixer.kv_lora_rank, count, sharded=up, heads=heads)
        attended = mixer.heads * mixer.v_head_dim
        if mixer.output_gate:
            self.gemm("attention projections", hidden, count, sharded=attended, heads=heads)
        self.gemm("attention projections", attended, count, replicated=hidden, k_sharded=True, heads=heads)
        if mixer.indexer:
            self.indexer(mixer.indexer, mixer.q_lora_rank or hidden, 1, count)
        self.tally["latent_or_sparse_layers"] += count
        self.reads[
            CacheRead(
                heads=mixer.heads,
                kv_heads=1,
                entry=0,
                latent=latent,
                decode_flop=2 * (latent + mixer.kv_lora_rank),
                prefill_flop=2 * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim),
                window=mixer.window,
                top_k=mixer.indexer.top_k if mixer.indexer else None,
            )
        ] += count

    def indexer(self, indexer: Indexer, query_width: int, compression: int, count: int) -> None:
        self.tally["latent_or_sparse_layers"] += count
        if not indexer.owns_keys:
            return
        hidden = self.architecture.hidden
        queries = indexer.heads * indexer.head_dim
        self.gemm("indexer", query_width, count, replicated=queries)
        weights = indexer.heads if indexer.weighted else 0
        self.gemm("indexer", hidden, count, replicated=indexer.head_dim + weights)
        self.indexes[IndexRead(indexer.heads, indexer.head_dim, compression)] += count

    def recurrent(self, mixer: Mixer, hidden: int, count: int) -> None:
        state = state_of(mixer)
        elements, size, _ = state if state is not None else (0, STATE_BYTES_FP32, 0)
        self.tally["recurrent_layers"] += count
        name = "linear mixers"
        match mixer:
            case Mamba1():
                self.gemm(name, hidden, count, sharded=2 * mixer.inner)
                selected = mixer.dt_rank + 2 * mixer.state
                self.gemm(name, mixer.inner, count, replicated=selected, k_sharded=True)
                self.gemm(name, mixer.dt_rank, count, sharded=mixer.inner)
                self.gemm(name, mixer.inner, count, replicated=hidden, k_sharded=True)
            case Mamba2():
                inner = mixer.heads * mixer.head_dim
                self.tensor_divisors.add(mixer.heads)
                shared = 2 * mixer.groups * mixer.state
                self.gemm(name, hidden, count, sharded=2 * inner + shared + mixer.heads)
                self.gemm(name, inner, count, replicated=hidden, k_sharded=True)
            case GatedDeltaNet():
                keys = mixer.key_heads * mixer.key_head_dim
                values = mixer.value_heads * mixer.value_head_dim
                self.tensor_divisors.add(mixer.value_heads)
                self.gemm(name, hidden, count, sharded=2 * keys + 2 * values + 2 * mixer.value_heads)
                self.gemm(name, values, count, replicated=hidden, k_sharded=True)
            case KimiDeltaAttention():
                width = mixer.heads * mixer.head_dim
                self.tensor_divisors.add(mixer.heads)
                full = 4 if mixer.full_rank_gate else 3
                low_rank = mixer.head_dim * (1 if mixer.full_rank_gate else 2)
                self.gemm(name, hidden, count, sharded=full * width + mixer.heads, replicated=low_rank)
                self.gemm(name, mixer.head_dim, count, sharded=width * (1 if mixer.full_rank_gate else 2))
                self.gemm(name, width, count, replicated=hidden, k_sharded=True)
            case LightningAttention():
                width = mixer.heads * mixer.head_dim
                self.tensor_divisors.add(mixer.heads)
                self.gemm(name, hidden, count, sharded=4 * width)
                self.gemm(name, width, count, replicated=hidden, k_sharded=True)
            case ShortConvolution():
                self.gemm(name, hidden, count, sharded=3 * mixer.width)
                self.gemm(name, mixer.width, count, replicated=hidden, k_sharded=True)
            case RecurrentMixer():
                self.gemm(name, hidden, count, sharded=max(1, mixer.matmul_parameters // hidden))
        if elements:
            # Decay, outer-product update and read-out of each state element: 6 operations a token.
            self.states[StateUpdate(elements, size, 6 * elements)] += count

    def dense(self, group: str, operation: str, intermediate: int, gated: bool, count: int) -> None:
        hidden = self.architecture.hidden
        self.gemm(operation, hidden, count, group=group, sharded=intermediate * (2 if gated else 1))
        self.gemm(operation, intermediate, count, group=group, replicated=hidden, k_sharded=True)

    def mixture(self, block: MixtureOfExperts, count: int) -> None:
        hidden = self.architecture.hidden
        width = block.latent or hidden
        self.expert_divisors.add(block.experts)
        self.gemm("router", hidden, count, group="router", replicated=block.experts + block.zero_experts)
        if block.latent:
            self.gemm("shared experts", hidden, count, group="shared_experts", replicated=block.latent)
            self.gemm("shared experts", block.latent, count, group="shared_experts", replicated=hidden)
        if block.shared_intermediate:
            self.dense("shared_experts", "shared experts", block.shared_intermediate, block.gated, count)
        # Of the chosen outputs the zero experts do no work: the expected number of real ones is scaled.
        top_k = block.top_k * block.experts / (block.experts + block.zero_experts)
        matrices = 3 if block.gated else 2
        self.experts[Experts(block.experts, top_k, width, block.expert_intermediate, matrices)] += count
        self.tally["expert_layers"] += count
        self.tally["expert_exchanges"] += count

    def gemm(
        self,
        operation: str,
        k: int,
        count: int,
        *,
        group: str = "attention",
        sharded: int = 0,
        replicated: int = 0,
        kv_heads: int = 0,
        head_width: int = 0,
        k_sharded: bool = False,
        heads: int = 0,
    ) -> None:
        gemm = Gemm(operation, group, k, sharded, replicated, kv_heads, head_width, k_sharded, heads)
        self.gemms[gemm] += count


@lru_cache(maxsize=512)
def lower(architecture: Architecture) -> Lowered:
    """The operations of one decoding step of a decoder, merged by shape."""
    builder = _Builder(architecture)
    for group in architecture.layers:
        builder.layer_group(group)
    return Lowered(
        hidden=architecture.hidden,
        vocab=architecture.vocab,
        has_head=architecture.has_head,
        layers=sum(group.count for group in architecture.layers),
        gemms=tuple(builder.gemms.items()),
        reads=tuple(builder.reads.items()),
        indexes=tuple(builder.indexes.items()),
        states=tuple(builder.states.items()),
        experts=tuple(builder.experts.items()),
        mixer_reductions=builder.tally["mixer_reductions"],
        dense_reductions=builder.tally["dense_reductions"],
        expert_exchanges=builder.tally["expert_exchanges"],
        dense_layers=builder.tally["dense_layers"],
        expert_layers=builder.tally["expert_layers"],
        latent_or_sparse_layers=builder.tally["latent_or_sparse_layers"],
        recurrent_layers=builder.tally["recurrent_layers"],
        tensor_divisors=tuple(sorted(builder.tensor_divisors)),
        expert_divisors=tuple(sorted(builder.expert_divisors)),
    )
