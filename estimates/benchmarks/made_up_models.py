"""Made-up models to benchmark the core: every kind of token mixer and feed-forward, in usual sizes."""

from __future__ import annotations

from estimates.core.architecture import (
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
)
from estimates.core.facts import ModelFacts


def decoder(hidden: int, *layers: LayerGroup, cross_tokens: int | None = None) -> Architecture:
    return Architecture("decoder", hidden, 128_256, layers, 131_072, False, cross_tokens=cross_tokens)


def layers(count: int, mixer: Mixer | tuple[Mixer, ...], *feed_forwards: FeedForward) -> LayerGroup:
    """`count` layers of one mixer, or of several side by side."""
    return LayerGroup(count, mixer if isinstance(mixer, tuple) else (mixer,), feed_forwards, 8192)


def grouped(hidden: int, kv_heads: int = 8) -> Attention:
    """Attention with heads of 128 as wide as the model."""
    return Attention(hidden // 128, kv_heads, 128, 128)


def ffn(hidden: int) -> DenseFeedForward:
    return DenseFeedForward(7 * hidden // 2)


FULL = Attention(32, 8, 128, 128)
WINDOWED = Attention(32, 8, 128, 128, window=4096)
INDEXER = Indexer(64, 128, 2048)
COMPRESSED = Attention(
    64, 1, 512, 512, window=128, keys_are_values=True, kv_compression=4, indexer=INDEXER, q_lora_rank=1024
)
LATENT = LatentAttention(128, 1536, 512, 128, 64, 128)
LATENT_SPARSE = LatentAttention(128, 1536, 512, 128, 64, 128, indexer=INDEXER)
EXPERTS = MixtureOfExperts(128, 8, 1536)
SHARED = MixtureOfExperts(256, 8, 2048, shared_intermediate=2048)
WIDE = ffn(4096)

ARCHITECTURES: dict[str, Architecture] = {
    **{
        f"grouped-query attention, {size}": decoder(hidden, layers(count, grouped(hidden), ffn(hidden)))
        for size, hidden, count in (
            ("1 b", 2048, 16),
            ("3 b", 3072, 28),
            ("8 b", 4096, 32),
            ("14 b", 5120, 48),
            ("70 b", 8192, 80),
            ("405 b", 16_384, 126),
        )
    },
    "multi-head attention": decoder(4096, layers(32, grouped(4096, 32), WIDE)),
    "multi-query attention": decoder(6144, layers(40, grouped(6144, 1), ffn(6144))),
    "sliding window": decoder(4096, layers(40, WINDOWED, WIDE), layers(8, FULL, WIDE)),
    "sparse attention": decoder(4096, layers(36, Attention(32, 2, 128, 128, sparse_top_k=2048), WIDE)),
    "sparse attention with indexer": decoder(
        6144, layers(80, Attention(96, 8, 128, 128, indexer=INDEXER), EXPERTS)
    ),
    "compressed attention": decoder(7168, layers(61, COMPRESSED, MixtureOfExperts(384, 6, 3072, 3072))),
    "gated output": decoder(4096, layers(40, Attention(32, 8, 128, 128, output_gate=True), WIDE)),
    "shared keys and values": decoder(
        2048, layers(20, FULL, WIDE), layers(10, Attention(32, 8, 128, 128, owns_kv=False), WIDE)
    ),
    "cross-attention": decoder(
        4096,
        layers(32, FULL, WIDE),
        layers(8, Attention(32, 8, 128, 128, cross=True), WIDE),
        cross_tokens=1601,
    ),
    "latent attention": decoder(2560, layers(62, LatentAttention(40, 768, 256, 64, 32, 64), ffn(2560))),
    "latent attention with experts": decoder(
        7168, layers(3, LATENT, DenseFeedForward(18_432)), layers(58, LATENT, SHARED)
    ),
    "latent attention with indexer": decoder(
        7168, layers(3, LATENT_SPARSE, DenseFeedForward(18_432)), layers(58, LATENT_SPARSE, SHARED)
    ),
    "routed experts, small": decoder(
        2048, layers(48, Attention(32, 4, 128, 128), MixtureOfExperts(128, 8, 768))
    ),
    "routed experts, large": decoder(4096, layers(94, Attention(64, 4, 128, 128), EXPERTS)),
    "routed experts, windowed": decoder(
        2880,
        layers(18, Attention(64, 8, 64, 64, window=128), MixtureOfExperts(128, 4, 2880)),
        layers(18, Attention(64, 8, 64, 64), MixtureOfExperts(128, 4, 2880)),
    ),
    "shared experts": decoder(
        5120, layers(46, Attention(96, 8, 128, 128), MixtureOfExperts(160, 8, 1536, 1536))
    ),
    "latent experts": decoder(4096, layers(48, FULL, MixtureOfExperts(512, 22, 2688, 5376, latent=1024))),
    "dense beside experts": decoder(7168, layers(35, grouped(7168), DenseFeedForward(4864), EXPERTS)),
    "zero experts": decoder(6144, layers(28, LATENT, MixtureOfExperts(512, 12, 2048, zero_experts=256))),
    "mamba": decoder(4096, layers(64, Mamba1(8192, 16, 4, 256))),
    "mamba 2": decoder(4096, layers(64, Mamba2(128, 64, 128, 8, 4))),
    "mamba 2 hybrid": decoder(
        4096, layers(36, Mamba2(128, 64, 128, 8, 4), EXPERTS), layers(4, WINDOWED, EXPERTS)
    ),
    "attention beside mamba 2": decoder(5120, layers(72, (FULL, Mamba2(32, 128, 256, 2, 4)), ffn(5120))),
    "gated delta net hybrid": decoder(
        2048,
        layers(36, GatedDeltaNet(16, 32, 128, 128, 4), MixtureOfExperts(512, 10, 512, 512)),
        layers(12, Attention(16, 2, 256, 256, output_gate=True), MixtureOfExperts(512, 10, 512, 512)),
    ),
    "kimi delta attention hybrid": decoder(
        2304,
        layers(20, KimiDeltaAttention(32, 128, 4), MixtureOfExperts(256, 8, 1024, 1024)),
        layers(7, LatentAttention(32, None, 512, 128, 64, 128), MixtureOfExperts(256, 8, 1024, 1024)),
    ),
    "lightning attention hybrid": decoder(
        6144,
        layers(70, LightningAttention(64, 128), MixtureOfExperts(32, 2, 9216)),
        layers(10, Attention(64, 8, 128, 128), MixtureOfExperts(32, 2, 9216)),
    ),
    "short convolution hybrid": decoder(
        2048, layers(10, ShortConvolution(2048, 3), ffn(2048)), layers(6, grouped(2048), ffn(2048))
    ),
    "recurrent": decoder(4096, layers(32, RecurrentMixer("RWKV", 90_000_000, 262_144), WIDE)),
}


def models() -> list[ModelFacts]:
    """A model of every kind."""
    return [ModelFacts(name, architecture) for name, architecture in ARCHITECTURES.items()]
