"""Parameter counts of an architecture, term by term: total, active, by tensor group, beside the checkpoint.

Counting rules (per layer; h hidden, H query heads, K key-value heads, d head width, V vocabulary):
attention h H d + h K (d + d_v) + H d_v h; latent attention h q + q H (nope + rope) + h (l + rope)
+ l H (nope + v) + H v h; feed-forward 3 h I gated, 2 h I plain; mixture of experts E times that in the
expert's width, plus a router h E; the recurrent mixers as written beside each. Parameters of a checkpoint
can exceed those of the model that runs: next-token-prediction modules, and a second embedding and head in
them, are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from estimates.core.architecture import (
    TENSOR_GROUPS,
    Architecture,
    Attention,
    DenseFeedForward,
    FeedForward,
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
    TensorGroup,
)


@dataclass(frozen=True, slots=True)
class ParameterLine:
    """One line of the derivation: `copies` tensors of `each` parameters, `active` of them read per token."""

    group: TensorGroup
    where: str  # "layers[0] x 80", "mtp", "model"
    term: str
    each: int
    copies: int
    active: int

    @property
    def parameters(self) -> int:
        return self.each * self.copies


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Counts in parameters. `total` is the model that runs; the checkpoint adds MTP and duplicates."""

    lines: tuple[ParameterLine, ...]
    total: int
    active: int
    active_excluding_input_embedding: int
    mtp: int
    duplicated_embedding_and_head: int
    by_group: dict[TensorGroup, int]
    active_by_group: dict[TensorGroup, int]

    @property
    def checkpoint_total(self) -> int:
        """What a complete checkpoint stores: model, MTP modules and their copies of embedding and head."""
        return self.total + self.mtp + self.duplicated_embedding_and_head

    def closest_to(self, published: int) -> int:
        """The best of main, main + MTP, main + MTP + duplicates: publishers count any of the three."""
        candidates = (self.total, self.total + self.mtp, self.checkpoint_total)
        return min(candidates, key=lambda candidate: abs(candidate - published))


Term = tuple[TensorGroup, str, int]


def indexer_terms(indexer: Indexer, query_width: int, hidden: int) -> list[Term]:
    """Parameters of a sparse-attention indexer; none where it shares an earlier layer's selection."""
    if not indexer.owns_keys:
        return []
    terms: list[Term] = [
        ("mixer", "indexer queries", query_width * indexer.heads * indexer.head_dim),
        ("mixer", "indexer keys", hidden * indexer.head_dim),
    ]
    if indexer.weighted:
        terms.append(("mixer", "indexer head weights", hidden * indexer.heads))
    terms.append(("norms", "indexer norms and compressors", indexer.extra_parameters))
    return terms


def attention_terms(mixer: Attention, hidden: int) -> list[Term]:
    width = mixer.input_width or hidden
    query_out = mixer.heads * mixer.head_dim * (2 if mixer.output_gate else 1)
    terms: list[Term] = []
    if mixer.q_lora_rank:
        terms.append(("mixer", "query down-projection", width * mixer.q_lora_rank))
        terms.append(("mixer", "query up-projection", mixer.q_lora_rank * query_out))
    else:
        terms.append(("mixer", "query projection", width * query_out))
    if mixer.owns_kv:
        terms.append(("mixer", "key projection", width * mixer.kv_heads * mixer.head_dim))
        if not mixer.keys_are_values:
            terms.append(("mixer", "value projection", width * mixer.kv_heads * mixer.v_head_dim))
    if mixer.projects_output:
        attended = mixer.heads * mixer.v_head_dim
        if mixer.output_lora_rank:
            terms.append(("mixer", "output down-projection", attended * mixer.output_lora_rank))
            low_rank = mixer.output_groups * mixer.output_lora_rank
            terms.append(("mixer", "output up-projection", low_rank * hidden))
        else:
            terms.append(("mixer", "output projection", attended * hidden))
    if mixer.indexer:
        terms += indexer_terms(mixer.indexer, mixer.q_lora_rank or hidden, hidden)
    terms.append(("norms", "attention biases, norms and sinks", mixer.extra_parameters))
    return terms


def latent_attention_terms(mixer: LatentAttention, hidden: int) -> list[Term]:
    query_out = mixer.heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim)
    attended = mixer.heads * mixer.v_head_dim
    terms: list[Term] = []
    if mixer.q_lora_rank:
        terms.append(("mixer", "query down-projection", hidden * mixer.q_lora_rank))
        terms.append(("mixer", "query up-projection", mixer.q_lora_rank * query_out))
    else:
        terms.append(("mixer", "query projection", hidden * query_out))
    terms += [
        ("mixer", "latent down-projection", hidden * (mixer.kv_lora_rank + mixer.qk_rope_head_dim)),
        (
            "mixer",
            "latent up-projection",
            mixer.kv_lora_rank * mixer.heads * (mixer.qk_nope_head_dim + mixer.v_head_dim),
        ),
        ("mixer", "output projection", attended * hidden),
    ]
    if mixer.output_gate:
        terms.append(("mixer", "output gate", hidden * attended))
    if mixer.indexer:
        terms += indexer_terms(mixer.indexer, mixer.q_lora_rank or hidden, hidden)
    terms.append(("norms", "attention biases, norms and sinks", mixer.extra_parameters))
    return terms


def mamba1_terms(mixer: Mamba1, hidden: int) -> list[Term]:
    return [
        ("mixer", "input projection", 2 * hidden * mixer.inner),
        ("mixer", "convolution", mixer.inner * (mixer.conv + 1)),
        ("mixer", "selection projection", mixer.inner * (mixer.dt_rank + 2 * mixer.state)),
        ("mixer", "step projection", mixer.dt_rank * mixer.inner + mixer.inner),
        ("mixer", "transition and skip", mixer.inner * mixer.state + mixer.inner),
        ("mixer", "output projection", mixer.inner * hidden),
        ("norms", "mixer norms", mixer.extra_parameters),
    ]


def mamba2_terms(mixer: Mamba2, hidden: int) -> list[Term]:
    inner = mixer.heads * mixer.head_dim
    conv_channels = inner + 2 * mixer.groups * mixer.state
    return [
        ("mixer", "input projection", hidden * (inner + conv_channels + mixer.heads)),
        ("mixer", "convolution", conv_channels * (mixer.conv + 1)),
        ("mixer", "transition, skip and step bias", 3 * mixer.heads),
        ("mixer", "output projection", inner * hidden),
        ("norms", "mixer norms", (inner if mixer.gated_norm else 0) + mixer.extra_parameters),
    ]


def gated_delta_net_terms(mixer: GatedDeltaNet, hidden: int) -> list[Term]:
    keys = mixer.key_heads * mixer.key_head_dim
    values = mixer.value_heads * mixer.value_head_dim
    return [
        ("mixer", "input projections", hidden * (2 * keys + 2 * values + 2 * mixer.value_heads)),
        ("mixer", "convolution", (2 * keys + values) * mixer.conv),
        ("mixer", "decay and step bias", 2 * mixer.value_heads),
        ("mixer", "output projection", values * hidden),
        ("norms", "mixer norms", mixer.value_head_dim + mixer.extra_parameters),
    ]


def kimi_delta_terms(mixer: KimiDeltaAttention, hidden: int) -> list[Term]:
    width = mixer.heads * mixer.head_dim
    low_rank_pair = hidden * mixer.head_dim + mixer.head_dim * width
    gates = low_rank_pair + (hidden * width if mixer.full_rank_gate else low_rank_pair)
    return [
        ("mixer", "query, key, value and output projections", 4 * hidden * width),
        ("mixer", "convolutions", 3 * width * mixer.conv),
        ("mixer", "decay and output gates", gates),
        ("mixer", "step projection, decay and step bias", hidden * mixer.heads + mixer.heads + width),
        ("norms", "mixer norms", mixer.head_dim + mixer.extra_parameters),
    ]


def lightning_terms(mixer: LightningAttention, hidden: int) -> list[Term]:
    width = mixer.heads * mixer.head_dim
    return [
        ("mixer", "query, key, value, gate and output projections", 5 * hidden * width),
        ("norms", "mixer norms", width + mixer.extra_parameters),
    ]


def short_convolution_terms(mixer: ShortConvolution, hidden: int) -> list[Term]:
    return [
        ("mixer", "input projection", 3 * hidden * mixer.width),
        ("mixer", "convolution", mixer.width * mixer.kernel),
        ("mixer", "output projection", mixer.width * hidden),
        ("norms", "mixer norms", mixer.extra_parameters),
    ]


def mixer_terms(mixer: Mixer, hidden: int) -> list[Term]:
    """(tensor group, name, parameters) of one token mixer reading a hidden state of width `hidden`."""
    match mixer:
        case Attention():
            return attention_terms(mixer, hidden)
        case LatentAttention():
            return latent_attention_terms(mixer, hidden)
        case Mamba1():
            return mamba1_terms(mixer, hidden)
        case Mamba2():
            return mamba2_terms(mixer, hidden)
        case GatedDeltaNet():
            return gated_delta_net_terms(mixer, hidden)
        case KimiDeltaAttention():
            return kimi_delta_terms(mixer, hidden)
        case LightningAttention():
            return lightning_terms(mixer, hidden)
        case ShortConvolution():
            return short_convolution_terms(mixer, hidden)
        case RecurrentMixer():
            return [
                ("mixer", f"{mixer.name} matrices", mixer.matmul_parameters),
                ("norms", f"{mixer.name} vectors", mixer.extra_parameters),
            ]


def expert_parameters(experts: MixtureOfExperts, hidden: int) -> int:
    """Parameters of one routed expert."""
    matrices = (3 if experts.gated else 2) * (experts.latent or hidden) * experts.expert_intermediate
    return matrices + experts.expert_extra_parameters


def feed_forward_terms(feed_forward: FeedForward, hidden: int) -> list[tuple[TensorGroup, str, int, int]]:
    """(tensor group, name, parameters, active parameters) of one feed-forward block."""
    if isinstance(feed_forward, DenseFeedForward):
        matrices = (3 if feed_forward.gated else 2) * hidden * feed_forward.intermediate
        extra = feed_forward.extra_parameters
        return [
            ("dense_ffn", "feed-forward", matrices, matrices),
            ("norms", "feed-forward biases", extra, extra),
        ]
    one = expert_parameters(feed_forward, hidden)
    shared = (3 if feed_forward.gated else 2) * hidden * feed_forward.shared_intermediate
    router = hidden * (feed_forward.experts + feed_forward.zero_experts)
    latent = 2 * hidden * (feed_forward.latent or 0)
    extra = feed_forward.extra_parameters
    return [
        ("routed_experts", "routed experts", feed_forward.experts * one, feed_forward.top_k * one),
        ("shared_experts", "shared experts", shared, shared),
        ("shared_experts", "latent projections", latent, latent),
        ("router", "router", router, router),
        ("router", "router bias and shared-expert gate", extra, extra),
    ]


def layer_group_lines(group: LayerGroup, hidden: int, where: str) -> Iterator[ParameterLine]:
    """Lines of all layers of a group; shared weights count once, and are active once however often run."""
    copies = group.count if group.weight_sets is None else group.weight_sets
    for mixer in group.mixers:
        for tensor_group, term, parameters in mixer_terms(mixer, hidden):
            yield ParameterLine(tensor_group, where, term, parameters, copies, parameters * copies)
    for feed_forward in group.feed_forwards:
        for tensor_group, term, parameters, active in feed_forward_terms(feed_forward, hidden):
            yield ParameterLine(tensor_group, where, term, parameters, copies, active * copies)
    norms = group.norm_parameters
    yield ParameterLine("norms", where, "layer norms", norms, copies, norms * copies)


def mtp_lines(architecture: Architecture) -> Iterator[ParameterLine]:
    """Multi-token-prediction modules: in the checkpoint, never active in plain decoding."""
    mtp = architecture.mtp
    if mtp is None:
        return
    for line in layer_group_lines(mtp.layer, architecture.hidden, "mtp"):
        yield ParameterLine("mtp", "mtp", line.term, line.parameters, mtp.modules, 0)
    yield ParameterLine("mtp", "mtp", "projection and norms", mtp.extra_parameters, mtp.modules, 0)


def parameter_lines(architecture: Architecture) -> tuple[ParameterLine, ...]:
    """The whole derivation, MTP modules included, duplicates of embedding and head excluded."""
    table = architecture.vocab * architecture.hidden
    lines = [ParameterLine("embedding", "model", "token embedding", table, 1, table)]
    if architecture.has_head and not architecture.tied_embeddings:
        lines.append(ParameterLine("head", "model", "output head", table, 1, table))
    for index, group in enumerate(architecture.layers):
        lines += layer_group_lines(group, architecture.hidden, f"layers[{index}] x {group.count}")
    if architecture.encoder:
        encoder = architecture.encoder
        for index, group in enumerate(encoder.layers):
            lines += layer_group_lines(group, encoder.hidden, f"encoder.layers[{index}] x {group.count}")
        extra = encoder.extra_parameters
        lines.append(ParameterLine("norms", "encoder", "positions, stem and norms", extra, 1, extra))
    for term in architecture.extra:
        active = term.parameters if term.active else 0
        lines.append(ParameterLine(term.group, "model", term.name, term.parameters, 1, active))
    lines += mtp_lines(architecture)
    return tuple(line for line in lines if line.parameters)


def count_parameters(architecture: Architecture) -> ParameterCount:
    """Count every parameter of an architecture.

    Active parameters are those one decoded token passes: routed experts enter with `top_k` of them, vision
    towers and MTP modules not at all. The input embedding is a gather of one row, so bandwidth should use
    `active_excluding_input_embedding`; a tied table stays in it, since the head reads all of it.
    """
    lines = parameter_lines(architecture)
    by_group = dict.fromkeys(TENSOR_GROUPS, 0)
    active_by_group = dict.fromkeys(TENSOR_GROUPS, 0)
    for line in lines:
        by_group[line.group] += line.parameters
        active_by_group[line.group] += line.active
    table = architecture.vocab * architecture.hidden
    reads_table_as_head = architecture.tied_embeddings and architecture.has_head
    active = sum(active_by_group.values())
    mtp = architecture.mtp
    return ParameterCount(
        lines=lines,
        total=sum(by_group.values()) - by_group["mtp"],
        active=active,
        active_excluding_input_embedding=active if reads_table_as_head else active - table,
        mtp=by_group["mtp"],
        duplicated_embedding_and_head=2 * table if mtp and mtp.duplicated_embedding_and_head else 0,
        by_group=by_group,
        active_by_group=active_by_group,
    )
