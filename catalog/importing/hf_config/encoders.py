"""Encoders, embedding models, encoder-decoders and speech models: no chat, but counted and described."""

from __future__ import annotations

from dataclasses import replace

from catalog.importing.hf_config.layers import LayerPlan
from catalog.importing.hf_config.reading import Config
from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    EncoderStack,
    ParameterTerm,
    Role,
)

T5_NOMINAL_TOKENS = 512  # trained input length; relative positions set no limit


def attention_of(
    heads: int, hidden: int, *, biases: int, causal: bool = True, cross: bool = False
) -> Attention:
    """Multi-head attention with `biases` bias vectors of the hidden size."""
    width = hidden // heads
    return Attention(heads, heads, width, width, causal=causal, cross=cross, extra_parameters=biases * hidden)


def plain_feed_forward(hidden: int, width: int) -> DenseFeedForward:
    return DenseFeedForward(width, gated=False, extra_parameters=width + hidden)


def bert(config: Config, names: list[str]) -> Architecture:
    """BERT with its pooler; the masked-token head of BertForMaskedLM serves training and is not counted."""
    hidden = config.integer("hidden_size", least=1)
    vocab = config.integer("vocab_size", least=1)
    heads = config.integer("num_attention_heads", least=1)
    positions = config.integer("max_position_embeddings", least=1)
    width = config.integer("intermediate_size", least=1)
    mixer = attention_of(heads, hidden, biases=4, causal=False)
    plan = LayerPlan((mixer,), (plain_feed_forward(hidden, width),), 4 * hidden)
    tables = (positions + config.integer("type_vocab_size", default=2)) * hidden
    extra = [
        ParameterTerm("position and segment tables", tables, False, "embedding"),
        ParameterTerm("embedding norm", 2 * hidden, True),
        ParameterTerm("pooler", hidden**2 + hidden, True, "head"),
    ]
    masked = any(name.endswith("ForMaskedLM") for name in names)
    return Architecture(
        role="encoder" if masked else "embedding",
        hidden=hidden,
        vocab=vocab,
        layers=(plan.group(config.integer("num_hidden_layers", least=1)),),
        max_context=positions,
        tied_embeddings=True,
        has_head=False,
        extra=tuple(extra),
    )


def clip_text(config: Config) -> Architecture:
    """The text tower of CLIP; its image tower is not part of such a configuration."""
    hidden = config.integer("hidden_size", least=1)
    heads = config.integer("num_attention_heads", least=1)
    width = config.integer("intermediate_size", least=1)
    positions = config.integer("max_position_embeddings", least=1)
    mixer = replace(attention_of(heads, hidden, biases=4), causal=False)
    plan = LayerPlan((mixer,), (plain_feed_forward(hidden, width),), 4 * hidden)
    projection = hidden * config.integer("projection_dim", default=512)
    return Architecture(
        role="vision",
        hidden=hidden,
        vocab=config.integer("vocab_size", least=1),
        layers=(plan.group(config.integer("num_hidden_layers", least=1)),),
        max_context=positions,
        tied_embeddings=True,
        has_head=False,
        extra=(
            ParameterTerm("position table", positions * hidden, False, "embedding"),
            ParameterTerm("final norm", 2 * hidden, True),
            ParameterTerm("text projection", projection, True, "head"),
        ),
        notes=("text tower only",),
    )


def t5(config: Config) -> Architecture:
    """T5: relative position tables in the first layer of each stack, norms without bias, no biases."""
    hidden = config.integer("d_model", least=1)
    heads, width = config.integer("num_heads", least=1), config.integer("d_kv", least=1)
    gated = (config.text("feed_forward_proj") or "relu").startswith("gated")
    feed_forward = DenseFeedForward(config.integer("d_ff", least=1), gated)
    own = Attention(heads, heads, width, width)
    buckets = config.integer("relative_attention_num_buckets", default=32) * heads
    config.read.update(("relative_attention_max_distance",))
    encoder_plan = LayerPlan((replace(own, causal=False),), (feed_forward,), 2 * hidden)
    decoder_plan = LayerPlan((own, replace(own, cross=True)), (feed_forward,), 3 * hidden)
    layers = config.integer("num_layers", least=1)
    return Architecture(
        role="encoder_decoder",
        hidden=hidden,
        vocab=config.integer("vocab_size", least=1),
        layers=(decoder_plan.group(config.integer("num_decoder_layers", default=layers, least=1)),),
        max_context=T5_NOMINAL_TOKENS,
        tied_embeddings=config.flag("tie_word_embeddings", default=True),
        extra=(
            ParameterTerm("final norm", hidden, True),
            ParameterTerm("relative position table", buckets, True),
        ),
        encoder=EncoderStack(hidden, (encoder_plan.group(layers),), T5_NOMINAL_TOKENS, hidden + buckets),
        cross_tokens=T5_NOMINAL_TOKENS,
    )


def stacks(config: Config, *, key_bias: bool) -> tuple[LayerPlan, LayerPlan]:
    """Encoder and decoder layers of BART and Whisper, whose key projections may lack a bias."""
    hidden = config.integer("d_model", least=1)
    biases = 4 if key_bias else 3
    heads = config.integer("encoder_attention_heads", least=1)
    feed_forward = plain_feed_forward(hidden, config.integer("encoder_ffn_dim", least=1))
    encoder = LayerPlan(
        (attention_of(heads, hidden, biases=biases, causal=False),), (feed_forward,), 4 * hidden
    )
    heads = config.integer("decoder_attention_heads", least=1)
    own = attention_of(heads, hidden, biases=biases)
    cross = attention_of(heads, hidden, biases=biases, cross=True)
    feed_forward = plain_feed_forward(hidden, config.integer("decoder_ffn_dim", least=1))
    return encoder, LayerPlan((own, cross), (feed_forward,), 6 * hidden)


def encoder_decoder(
    config: Config, role: Role, encoder: EncoderStack, decoder: LayerPlan, positions: int, context: int
) -> Architecture:
    """BART and Whisper: tied head, learned decoder positions, biased norms."""
    hidden = config.integer("d_model", least=1)
    return Architecture(
        role=role,
        hidden=hidden,
        vocab=config.integer("vocab_size", least=1),
        layers=(decoder.group(config.integer("decoder_layers", least=1)),),
        max_context=context,
        tied_embeddings=True,
        extra=(
            ParameterTerm("decoder position table", positions * hidden, False, "embedding"),
            ParameterTerm("decoder norm", 2 * hidden, True),
        ),
        encoder=encoder,
        cross_tokens=encoder.max_tokens,
    )


def bart(config: Config) -> Architecture:
    hidden = config.integer("d_model", least=1)
    positions = config.integer("max_position_embeddings", least=1)
    encoder_plan, decoder_plan = stacks(config, key_bias=True)
    extra = (positions + 2) * hidden + 2 * hidden
    encoder = EncoderStack(
        hidden, (encoder_plan.group(config.integer("encoder_layers", least=1)),), positions, extra
    )
    return encoder_decoder(config, "encoder_decoder", encoder, decoder_plan, positions + 2, positions)


def whisper(config: Config) -> Architecture:
    """Whisper: two convolutions over mel bands, 1,500 encoder positions a 30 s window."""
    hidden = config.integer("d_model", least=1)
    mels = config.integer("num_mel_bins", default=80, least=1)
    sources = config.integer("max_source_positions", default=1500, least=1)
    encoder_plan, decoder_plan = stacks(config, key_bias=False)
    stem = 3 * mels * hidden + hidden + 3 * hidden * hidden + hidden
    extra = stem + sources * hidden + 2 * hidden
    encoder = EncoderStack(
        hidden, (encoder_plan.group(config.integer("encoder_layers", least=1)),), sources, extra
    )
    targets = config.integer("max_target_positions", default=448, least=1)
    return encoder_decoder(config, "speech", encoder, decoder_plan, targets, targets)
