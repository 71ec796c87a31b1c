"""The architecture of a language model as frozen values: layer groups, token mixers, feed-forwards.

One description serves the parameter counter, the KV-cache terms and the time of a step. Sizes are element
counts, never bytes: number formats are a property of the deployment. A layer is a tuple of mixers (run one
after the other or side by side) followed by a tuple of feed-forwards, so that two attentions a layer
(LongCat) and attention beside a state-space mixer (Falcon-H1) need no special case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args


@dataclass(frozen=True, slots=True)
class Indexer:
    """Sparse-attention indexer: picks the `top_k` cached tokens that the attention then reads.

    Its queries come from the query latent where the attention has one, from the hidden state otherwise; one
    key of `head_dim` a cached entry. Under compressed attention it picks among the compressed entries.
    """

    heads: int
    head_dim: int
    top_k: int
    owns_keys: bool = True  # False: shares the selection of an earlier layer, holds no index keys or weights
    weighted: bool = True  # a learned weight per head and token (hidden x heads)
    extra_parameters: int = 0  # norms and compressors of the indexer


@dataclass(frozen=True, slots=True)
class Attention:
    """Softmax attention with key and value heads (MHA, GQA, MQA), full, windowed, sparse or cross.

    With `kv_compression` above 1 the compressed entries grow with the context, and `window` bounds the
    uncompressed recent tokens that are kept beside them (DeepSeek-V4).
    """

    heads: int
    kv_heads: int
    head_dim: int
    v_head_dim: int
    window: int | None = None  # sliding or chunked window in tokens; None: the whole context
    causal: bool = True
    cross: bool = False  # keys and values come from an encoder or image: fixed, not growing
    owns_kv: bool = True  # False: reuses another layer's keys and values (no K/V projection, no cache)
    keys_are_values: bool = False  # one projection serves as both K and V
    output_gate: bool = False  # doubles the query projection
    projects_output: bool = True
    kv_compression: int = 1  # context tokens per stored entry (compressed attention)
    sparse_top_k: int | None = None  # tokens attended when sparse without an indexer of its own
    indexer: Indexer | None = None
    extra_parameters: int = 0  # biases, query and key norms, sinks, compressors: small or off the hot path
    input_width: int | None = None  # width the projections read, when it is not the hidden size (Zamba2: 2 h)
    q_lora_rank: int | None = None  # low-rank query: h q + q H d instead of h H d
    output_lora_rank: int | None = None  # low-rank output per group: H d r + groups r h instead of H d h
    output_groups: int = 1
    caches_keys_only: bool = False  # one cached entry serves as key and value (multi-query latent attention)


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """Multi-head latent attention: one compressed latent per token, replicated on every tensor rank."""

    heads: int
    q_lora_rank: int | None
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    output_gate: bool = False
    window: int | None = None
    indexer: Indexer | None = None
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class Mamba1:
    """Selective state space, first generation: fixed state per sequence."""

    inner: int
    state: int
    conv: int
    dt_rank: int
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class Mamba2:
    """State-space duality mixer: heads x head_dim x state of fixed state per sequence."""

    heads: int
    head_dim: int
    state: int
    groups: int
    conv: int
    state_bytes_per_element: int = 4
    extra_parameters: int = 0
    gated_norm: bool = True  # a norm of the inner width before the output projection


@dataclass(frozen=True, slots=True)
class GatedDeltaNet:
    """Gated delta rule linear attention (Qwen3-Next, Qwen3.5)."""

    key_heads: int
    value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv: int
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class KimiDeltaAttention:
    """Kimi delta attention: per-channel gated delta rule."""

    heads: int
    head_dim: int
    conv: int
    full_rank_gate: bool = False
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class LightningAttention:
    """Linear attention with decay (MiniMax-Text-01, Ling): heads x d x d of state."""

    heads: int
    head_dim: int
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class ShortConvolution:
    """Gated short convolution (LFM2)."""

    width: int
    kernel: int
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class RecurrentMixer:
    """A recurrent mixer known by its counts alone (RWKV, xLSTM): matmul parameters and state."""

    name: str
    matmul_parameters: int
    state_elements: int
    state_bytes_per_element: int = 4
    extra_parameters: int = 0
    shift_elements: int = 0  # token-shift or convolution state, in the activation format


@dataclass(frozen=True, slots=True)
class DenseFeedForward:
    """Feed-forward block every token passes: 3 h I gated, 2 h I plain."""

    intermediate: int
    gated: bool = True
    extra_parameters: int = 0


@dataclass(frozen=True, slots=True)
class MixtureOfExperts:
    """Routed experts, of which each token passes `top_k`, and shared experts that every token passes."""

    experts: int
    top_k: int
    expert_intermediate: int
    shared_intermediate: int = 0  # all shared experts together
    gated: bool = True
    latent: int | None = None  # width the routed experts work in, when it is not the hidden size
    extra_parameters: int = 0  # router bias, shared-expert gate, latent projections excluded
    zero_experts: int = 0  # identity experts: outputs of the router without weights (LongCat)
    expert_extra_parameters: int = 0  # biases of one routed expert (gpt-oss)


Mixer = (
    Attention
    | LatentAttention
    | Mamba1
    | Mamba2
    | GatedDeltaNet
    | KimiDeltaAttention
    | LightningAttention
    | ShortConvolution
    | RecurrentMixer
)
FeedForward = DenseFeedForward | MixtureOfExperts


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """`count` layers of one shape. `weight_sets` below `count` means shared weights (Zamba2)."""

    count: int
    mixers: tuple[Mixer, ...]
    feed_forwards: tuple[FeedForward, ...]
    norm_parameters: int = 0  # norms and other vectors of one layer
    weight_sets: int | None = None  # distinct copies of the weights; None: one per layer


TensorGroup = Literal[
    "embedding",
    "mixer",
    "dense_ffn",
    "routed_experts",
    "shared_experts",
    "router",
    "head",
    "norms",
    "mtp",
    "vision",
]
TENSOR_GROUPS: tuple[TensorGroup, ...] = get_args(TensorGroup)


@dataclass(frozen=True, slots=True)
class ParameterTerm:
    """A named lump of parameters that no layer group holds (vision tower, position table, ...)."""

    name: str
    parameters: int
    active: bool = False  # read at each decode step
    group: TensorGroup = "norms"


@dataclass(frozen=True, slots=True)
class MultiTokenPrediction:
    """Next-token-prediction modules: in the checkpoint, run only when speculation is on."""

    modules: int
    layer: LayerGroup  # the block of one module
    extra_parameters: int = 0  # projection and norms of one module
    duplicated_embedding_and_head: bool = False  # the checkpoint stores V h twice more in all


@dataclass(frozen=True, slots=True)
class EncoderStack:
    """Encoder of an encoder-decoder or of a speech model: its own layers, hidden size and input length."""

    hidden: int
    layers: tuple[LayerGroup, ...]
    max_tokens: int
    extra_parameters: int = 0


Role = Literal["decoder", "encoder", "encoder_decoder", "embedding", "speech", "vision"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model: `role` says what it can be asked (only a decoder gets a chat estimate)."""

    role: Role
    hidden: int
    vocab: int
    layers: tuple[LayerGroup, ...]
    max_context: int | None
    tied_embeddings: bool
    has_head: bool = True
    extra: tuple[ParameterTerm, ...] = ()
    mtp: MultiTokenPrediction | None = None
    encoder: EncoderStack | None = None
    cross_tokens: int | None = None  # source tokens that cross-attention caches (an image, a 30 s window)
    notes: tuple[str, ...] = field(default=())
