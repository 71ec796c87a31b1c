"""Architectures of known models, written out, and random ones, for the tests of the core."""

from __future__ import annotations

from hypothesis import strategies as st

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
    MixtureOfExperts,
    MultiTokenPrediction,
    ParameterTerm,
    RecurrentMixer,
    ShortConvolution,
)


def llama_70b() -> Architecture:
    layer = LayerGroup(
        80, (Attention(64, 8, 128, 128),), (DenseFeedForward(28672),), norm_parameters=2 * 8192
    )
    norm = ParameterTerm("final norm", 8192, active=True)
    return Architecture("decoder", 8192, 128256, (layer,), 131072, tied_embeddings=False, extra=(norm,))


def deepseek_v3() -> Architecture:
    h = 7168
    attention = LatentAttention(128, 1536, 512, 128, 64, 128, extra_parameters=1536 + 512)
    experts = MixtureOfExperts(256, 8, 2048, shared_intermediate=2048, extra_parameters=256)
    routed = LayerGroup(58, (attention,), (experts,), 2 * h)
    return Architecture(
        "decoder",
        h,
        129280,
        (LayerGroup(3, (attention,), (DenseFeedForward(18432),), 2 * h), routed),
        163840,
        tied_embeddings=False,
        extra=(ParameterTerm("final norm", h, active=True),),
        mtp=MultiTokenPrediction(1, LayerGroup(1, (attention,), (experts,), 2 * h), 2 * h * h + 3 * h, True),
    )


def gpt_oss_120b() -> Architecture:
    h, heads, keys, width = 2880, 64, 8, 64
    biases = (heads + 2 * keys) * width + h + heads  # query, key, value; output; sinks
    experts = MixtureOfExperts(128, 4, 2880, extra_parameters=128, expert_extra_parameters=2 * 2880 + h)
    full = Attention(heads, keys, width, width, extra_parameters=biases)
    windowed = Attention(heads, keys, width, width, window=128, extra_parameters=biases)
    layers = tuple(LayerGroup(18, (mixer,), (experts,), 2 * h) for mixer in (windowed, full))
    norm = ParameterTerm("final norm", h, active=True)
    return Architecture("decoder", h, 201088, layers, 131072, tied_embeddings=False, extra=(norm,))


sizes = st.integers(1, 64)


@st.composite
def attentions(draw: st.DrawFn) -> Attention:
    keys = draw(st.integers(1, 8))
    return Attention(
        heads=keys * draw(st.integers(1, 8)),
        kv_heads=keys,
        head_dim=draw(sizes),
        v_head_dim=draw(sizes),
        window=draw(st.none() | st.integers(1, 5000)),
        owns_kv=draw(st.booleans()),
        output_gate=draw(st.booleans()),
        extra_parameters=draw(st.integers(0, 100)),
    )


@st.composite
def experts(draw: st.DrawFn) -> MixtureOfExperts:
    count = draw(st.integers(1, 64))
    return MixtureOfExperts(
        experts=count,
        top_k=draw(st.integers(1, count)),
        expert_intermediate=draw(sizes),
        shared_intermediate=draw(st.integers(0, 64)),
        gated=draw(st.booleans()),
        latent=draw(st.none() | sizes),
        extra_parameters=draw(st.integers(0, 100)),
    )


mixers = st.one_of(
    attentions(),
    st.builds(
        LatentAttention,
        sizes,
        st.none() | sizes,
        sizes,
        sizes,
        sizes,
        sizes,
        indexer=st.none() | st.builds(Indexer, sizes, sizes, sizes, owns_keys=st.booleans()),
    ),
    st.builds(Mamba1, sizes, sizes, sizes, sizes),
    st.builds(Mamba2, sizes, sizes, sizes, sizes, sizes),
    st.builds(GatedDeltaNet, sizes, sizes, sizes, sizes, sizes),
    st.builds(KimiDeltaAttention, sizes, sizes, sizes, full_rank_gate=st.booleans()),
    st.builds(LightningAttention, sizes, sizes),
    st.builds(ShortConvolution, sizes, sizes),
    st.builds(RecurrentMixer, st.just("R"), sizes, sizes),
)
feed_forwards = st.one_of(st.builds(DenseFeedForward, sizes, st.booleans()), experts())
layer_groups = st.builds(
    LayerGroup,
    st.integers(1, 40),
    st.lists(mixers, max_size=2).map(tuple),
    st.lists(feed_forwards, max_size=2).map(tuple),
    st.integers(0, 100),
)
architectures = st.builds(
    Architecture,
    role=st.just("decoder"),
    hidden=st.integers(1, 512),
    vocab=st.integers(1, 10000),
    layers=st.lists(layer_groups, min_size=1, max_size=3).map(tuple),
    max_context=st.none() | st.integers(1, 10**7),
    tied_embeddings=st.booleans(),
    mtp=st.none() | st.builds(MultiTokenPrediction, st.integers(1, 3), layer_groups, sizes, st.booleans()),
)
