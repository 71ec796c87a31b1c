"""One small decoder of every architecture kind, for tests that none may be forgotten in."""

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

HIDDEN = 2048


def decoder(
    *mixers: Mixer, feed_forwards: tuple[FeedForward, ...] = (DenseFeedForward(5632),), **more: object
):
    """24 layers of these mixers side by side."""
    return Architecture(
        "decoder",
        HIDDEN,
        32_000,
        (LayerGroup(24, mixers, feed_forwards, 2 * HIDDEN),),
        131_072,
        False,
        **more,  # type: ignore[arg-type]
    )


GQA = Attention(16, 4, 128, 128)
KINDS: dict[str, Architecture] = {
    "multi-head attention": decoder(Attention(16, 16, 128, 128)),
    "grouped-query attention": decoder(GQA),
    "multi-query attention": decoder(Attention(16, 1, 128, 128)),
    "sliding window": decoder(Attention(16, 4, 128, 128, window=1024)),
    "sparse": decoder(Attention(16, 4, 128, 128, sparse_top_k=2048)),
    "sparse with indexer": decoder(Attention(16, 4, 128, 128, indexer=Indexer(8, 64, 1024))),
    "compressed": decoder(
        Attention(
            16, 1, 128, 128, window=128, keys_are_values=True, kv_compression=4, indexer=Indexer(8, 64, 512)
        )
    ),
    "cross": decoder(GQA, Attention(16, 4, 128, 128, cross=True), cross_tokens=1601),
    "shared keys and values": decoder(Attention(16, 4, 128, 128, owns_kv=False)),
    "gated output": decoder(Attention(16, 4, 128, 128, output_gate=True)),
    "low-rank query and output": decoder(
        Attention(16, 4, 128, 128, q_lora_rank=512, output_lora_rank=256, output_groups=4)
    ),
    "latent attention": decoder(LatentAttention(16, 512, 256, 64, 32, 64)),
    "latent with indexer": decoder(LatentAttention(16, None, 256, 64, 32, 64, indexer=Indexer(8, 64, 1024))),
    "mamba 1": decoder(Mamba1(4096, 16, 4, 128), feed_forwards=()),
    "mamba 2": decoder(Mamba2(32, 128, 128, 8, 4)),
    "gated delta net": decoder(GatedDeltaNet(16, 32, 128, 128, 4)),
    "kimi delta attention": decoder(KimiDeltaAttention(16, 128, 4)),
    "lightning attention": decoder(LightningAttention(16, 128)),
    "short convolution": decoder(ShortConvolution(2048, 3)),
    "recurrent": decoder(RecurrentMixer("RWKV", 20_000_000, 131_072)),
    "attention beside mamba": decoder(GQA, Mamba2(32, 128, 128, 8, 4)),
    "mixture of experts": decoder(GQA, feed_forwards=(MixtureOfExperts(64, 4, 1024, 1024),)),
    "latent experts": decoder(GQA, feed_forwards=(MixtureOfExperts(64, 4, 1024, latent=512),)),
    "dense beside experts": decoder(
        GQA, feed_forwards=(DenseFeedForward(5632), MixtureOfExperts(64, 2, 1024))
    ),
}
