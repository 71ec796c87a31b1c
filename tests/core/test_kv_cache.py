"""The three KV terms: what grows, what windows bound, what is fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimates.core.architecture import (
    Architecture,
    Attention,
    GatedDeltaNet,
    Indexer,
    KimiDeltaAttention,
    LatentAttention,
    LayerGroup,
    LightningAttention,
    Mamba1,
    Mamba2,
    Mixer,
    ShortConvolution,
)
from estimates.core.kv_cache import kv_bytes, kv_terms
from tests.core.architectures import architectures, deepseek_v3, gpt_oss_120b, llama_70b


def model(*groups: tuple[int, Mixer], **fields: object) -> Architecture:
    layers = tuple(LayerGroup(count, (mixer,), ()) for count, mixer in groups)
    return replace(Architecture("decoder", 64, 10, layers, None, tied_embeddings=True), **fields)


def test_grouped_query_grows_by_two_heads_widths():
    # 2 x 8 heads x 128 x 80 layers x 2 bytes
    assert kv_terms(llama_70b()).growing_bytes_per_token() == 2 * 8 * 128 * 80 * 2 == 327_680


def test_latent_attention_grows_by_the_latent_alone():
    # (512 + 64) x 61 layers x 2 bytes
    assert kv_terms(deepseek_v3()).growing_bytes_per_token() == 576 * 61 * 2 == 70_272


def test_windowed_layers_stop_at_the_window():
    terms = kv_terms(gpt_oss_120b())
    assert terms.growing_bytes_per_token() == 2 * 8 * 64 * 18 * 2 == 36_864
    assert [(term.window, term.elements_per_token) for term in terms.windows] == [(128, 2 * 8 * 64 * 18)]
    contexts = np.array([64, 128, 1000])
    assert kv_bytes(terms, contexts).tolist() == [64 * 2 * 36_864, 128 * 2 * 36_864, (1000 + 128) * 36_864]


def test_an_engine_without_windows_keeps_everything():
    terms = kv_terms(gpt_oss_120b())
    assert kv_bytes(terms, 1000, bound_windows=False) == 1000 * 2 * 36_864


def test_context_and_format_broadcast():
    grid = kv_bytes(kv_terms(llama_70b()), np.array([[1000], [2000]]), np.array([2.0, 1.0, 0.5]))
    assert grid.shape == (2, 3)
    assert grid[1, 2] == 2000 * 163_840 * 0.5


@pytest.mark.parametrize(
    ("mixer", "expected"),
    [
        # inner x state x 4 + inner x (conv - 1) x 2
        (Mamba1(8192, 16, 4, 256), 8192 * 16 * 4 + 8192 * 3 * 2),
        # heads x width x state x 4 + (inner + 2 groups x state) x 3 x 2: Granite 4.0 Small
        (Mamba2(128, 64, 128, 1, 4), 128 * 64 * 128 * 4 + (8192 + 256) * 3 * 2),
        # value heads x d_k x d_v x 4 + (2 x 2048 + 4096) x 3 x 2: Qwen3-Next
        (GatedDeltaNet(16, 32, 128, 128, 4), 32 * 128 * 128 * 4 + 8192 * 3 * 2),
        # heads x d^2 x 4 + 3 convolutions of 4096 x 3 x 2: Kimi-Linear
        (KimiDeltaAttention(32, 128, 4), 32 * 128**2 * 4 + 3 * 4096 * 3 * 2),
        (LightningAttention(64, 128), 64 * 128**2 * 4),
        # (kernel - 1) x width x 2
        (ShortConvolution(2048, 3), 2 * 2048 * 2),
    ],
)
def test_recurrent_state_is_fixed(mixer, expected):
    terms = kv_terms(model((3, mixer)))
    assert terms.fixed_state_bytes() == 3 * expected
    assert kv_bytes(terms, 0) == kv_bytes(terms, 100_000) == 3 * expected


def test_encoder_attention_caches_nothing():
    assert kv_bytes(kv_terms(model((12, Attention(8, 8, 64, 64, causal=False)))), 512) == 0


def test_layers_that_reuse_keys_cache_nothing():
    own, reused = Attention(8, 2, 64, 64), Attention(8, 2, 64, 64, owns_kv=False)
    assert kv_terms(model((20, own), (15, reused))).growing_elements_per_token == 20 * 2 * 2 * 64


def test_shared_weights_cache_in_each_layer():
    shared = LayerGroup(13, (Attention(32, 32, 224, 224),), (), weight_sets=2)
    base = model((1, ShortConvolution(8, 2)))
    assert kv_terms(replace(base, layers=(shared,))).growing_bytes_per_token() == 372_736


def test_two_attentions_a_layer_cache_twice():
    latent = LatentAttention(32, 1536, 512, 128, 64, 128)
    group = LayerGroup(14, (latent, latent), ())
    assert kv_terms(replace(model((1, latent)), layers=(group,))).growing_bytes_per_token() == 32_256


def test_index_keys_are_kept_apart():
    latent = LatentAttention(64, 2048, 512, 192, 64, 256, indexer=Indexer(32, 128, 2048))
    sharing = replace(latent, indexer=Indexer(32, 128, 2048, owns_keys=False))
    terms = kv_terms(model((21, latent), (57, sharing)))
    assert terms.growing_elements_per_token == 78 * 576
    assert terms.indexer_elements_per_token == 21 * 128
    assert kv_bytes(terms, 10) - kv_bytes(terms, 10, indexer_bytes_per_element=0) == 10 * 21 * 128


def test_compressed_attention_grows_by_a_fraction_beside_its_window():
    def layer(ratio: int) -> Attention:
        return Attention(
            8, 1, 512, 512, window=128, keys_are_values=True, caches_keys_only=True, kv_compression=ratio
        )

    terms = kv_terms(model((2, layer(4)), (3, layer(128))))
    assert terms.growing_elements_per_token == 2 * 512 / 4 + 3 * 512 / 128
    assert terms.windows[0].elements_per_token == 5 * 512


def test_keys_that_serve_as_values_are_still_cached_twice():
    # one projection, but keys are rotated and values are not
    assert (
        kv_terms(model((1, Attention(8, 2, 512, 512, keys_are_values=True)))).growing_elements_per_token
        == 2048
    )


def test_cross_attention_caches_the_source():
    # Whisper large: 2 x 1280 x 32 layers x 1500 positions x 2 bytes a 30 s window
    own, cross = Attention(20, 20, 64, 64), Attention(20, 20, 64, 64, cross=True)
    base = model((1, own), cross_tokens=1500)
    terms = kv_terms(replace(base, layers=(LayerGroup(32, (own, cross), ()),)))
    assert kv_bytes(terms, 0) == 245_760_000
    assert kv_bytes(terms, 1, source_tokens=0) == 163_840


@given(architectures, st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_context_never_needs_less(architecture, one, other):
    terms = kv_terms(architecture)
    low, high = sorted((one, other))
    assert kv_bytes(terms, low) <= kv_bytes(terms, high)


@given(architectures, st.integers(0, 10**6))
def test_bounding_windows_never_costs(architecture, context):
    terms = kv_terms(architecture)
    assert kv_bytes(terms, context) <= kv_bytes(terms, context, bound_windows=False)


@given(architectures, st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_many_contexts_at_once_are_each_alone(architecture, contexts):
    terms = kv_terms(architecture)
    assert kv_bytes(terms, contexts).tolist() == [float(kv_bytes(terms, context)) for context in contexts]


@given(architectures)
def test_beyond_the_windows_growth_is_the_growing_term(architecture):
    terms = kv_terms(architecture)
    step = kv_bytes(terms, 10_001, indexer_bytes_per_element=0) - kv_bytes(
        terms, 10_000, indexer_bytes_per_element=0
    )
    assert step == pytest.approx(terms.growing_bytes_per_token())
