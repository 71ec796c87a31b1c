"""Parameter counts: known models by hand, and the laws that any count keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    EncoderStack,
    LayerGroup,
    LightningAttention,
    Mamba2,
    MixtureOfExperts,
    ParameterTerm,
    ShortConvolution,
)
from estimates.core.parameters import count_parameters, mixer_terms
from tests.core.architectures import architectures, deepseek_v3, gpt_oss_120b, layer_groups, llama_70b


def test_llama_3_1_70b_by_hand():
    # Per layer, h = 8192, 64 query and 8 key-value heads of 128, feed-forward 28672:
    #   query 8192 x 8192                     67,108,864
    #   key, value 2 x 8192 x 1024            16,777,216
    #   output 8192 x 8192                    67,108,864
    #   gate, up, down 3 x 8192 x 28672      704,643,072
    #   two norms                                 16,384
    #                                        855,654,400   x 80 = 68,452,352,000
    # embedding and head 2 x 128256 x 8192                      =  2,101,346,304
    # final norm                                                =          8,192
    counted = count_parameters(llama_70b())
    assert counted.total == 68_452_352_000 + 2_101_346_304 + 8_192 == 70_553_706_496
    assert counted.active == counted.total
    assert counted.by_group["mixer"] == 80 * 150_994_944
    assert counted.by_group["dense_ffn"] == 80 * 704_643_072
    assert counted.by_group["head"] == counted.by_group["embedding"] == 1_050_673_152


def test_decoding_does_not_read_the_input_embedding():
    counted = count_parameters(llama_70b())
    assert counted.active_excluding_input_embedding == 70_553_706_496 - 1_050_673_152


def test_tied_table_is_read_as_the_head():
    tied = replace(llama_70b(), tied_embeddings=True)
    counted = count_parameters(tied)
    assert counted.total == 70_553_706_496 - 1_050_673_152
    assert counted.active_excluding_input_embedding == counted.active


def test_deepseek_v3_main_prediction_module_and_duplicates():
    # Latent attention: 7168 x 1536 + 1536 x 128 x 192 + 7168 x 576 + 512 x 128 x 256 + 16384 x 7168 + 2048
    #   = 187,107,328; 257 experts of 3 x 7168 x 2048 with router 7168 x 256 and bias 256 = 11,320,164,608
    # main: 61 x 187,107,328 + 3 x 396,361,728 + 58 x 11,320,164,608 + 61 x 14,336 + 7,168 + 2 x 926,679,040
    counted = count_parameters(deepseek_v3())
    assert counted.total == 671_026_419_200
    # module: 187,107,328 + 11,320,164,608 + 14,336 + 2 x 7168^2 + 3 x 7168
    assert counted.mtp == 11_610_068_224
    assert counted.duplicated_embedding_and_head == 2 * 129280 * 7168
    assert counted.checkpoint_total == 684_489_845_504
    # 37 B active: all but 248 of 256 routed experts in 58 layers
    assert counted.active == 671_026_419_200 - 58 * 248 * 44_040_192 == 37_552_297_472


def test_gpt_oss_headline_excludes_the_input_embedding():
    # "5.1B active": 5.71 B with the embedding of 0.58 B, 5.13 B without; 117 B in all
    counted = count_parameters(gpt_oss_120b())
    assert counted.total == 116_829_156_672
    assert counted.active == 5_711_982_912
    assert counted.active_excluding_input_embedding == 5_132_849_472


def test_publishers_count_any_of_three_totals():
    counted = count_parameters(deepseek_v3())
    assert counted.closest_to(671_000_000_000) == counted.total
    assert counted.closest_to(682_000_000_000) == counted.total + counted.mtp
    assert counted.closest_to(684_531_386_000) == counted.checkpoint_total


@pytest.mark.parametrize(
    ("mixer", "hidden", "expected"),
    [
        # output gate doubles the query: 10 x 2 x 8 + 2 x 10 x 4 + 8 x 10
        (Attention(2, 1, 4, 4, output_gate=True), 10, 160 + 80 + 80),
        # no key-value projection where another layer's are reused
        (Attention(2, 1, 4, 4, owns_kv=False), 10, 80 + 80),
        # one projection for key and value
        (Attention(2, 1, 4, 4, keys_are_values=True), 10, 80 + 40 + 80),
        # low-rank query 10 x 3 + 3 x 8, key = value 10 x 4, output in 2 groups 8 x 5 + 2 x 5 x 10
        (
            Attention(2, 1, 4, 4, keys_are_values=True, q_lora_rank=3, output_lora_rank=5, output_groups=2),
            10,
            54 + 40 + 40 + 100,
        ),
        # d_i = 8, channels 8 + 2 x 1 x 3 = 14: in 10 (8 + 14 + 2), conv 14 x 4 + 14, 3 x 2, norm 8, out 80
        (Mamba2(2, 4, 3, 1, 4), 10, 240 + 70 + 6 + 8 + 80),
        # 5 h H d + H d
        (LightningAttention(2, 4), 10, 400 + 8),
        # 4 h^2 + h L
        (ShortConvolution(10, 3), 10, 400 + 30),
    ],
)
def test_mixer_formula(mixer, hidden, expected):
    assert sum(parameters for _, _, parameters in mixer_terms(mixer, hidden)) == expected


def test_latent_experts_work_in_their_own_width():
    # 8 experts of 3 x 4 x 5, projections 2 x 10 x 4, router 10 x (8 + 2), 3 in use
    block = MixtureOfExperts(8, 3, 5, latent=4, zero_experts=2)
    architecture = Architecture("decoder", 10, 7, (LayerGroup(1, (), (block,)),), None, tied_embeddings=True)
    counted = count_parameters(architecture)
    assert counted.by_group["routed_experts"] == 8 * 60
    assert counted.by_group["shared_experts"] == 80
    assert counted.by_group["router"] == 100
    assert counted.active_by_group["routed_experts"] == 3 * 60


def test_shared_weights_count_once():
    group = LayerGroup(13, (Attention(2, 2, 4, 4),), (DenseFeedForward(6),), 3, weight_sets=2)
    once = replace(group, count=2, weight_sets=None)
    base = Architecture("decoder", 10, 7, (group,), None, tied_embeddings=True)
    assert count_parameters(base).total == count_parameters(replace(base, layers=(once,))).total


def test_vision_tower_is_stored_but_not_active():
    tower = ParameterTerm("vision tower", 1000, group="vision")
    counted = count_parameters(replace(llama_70b(), extra=(*llama_70b().extra, tower)))
    assert counted.by_group["vision"] == 1000
    assert counted.total - counted.active == 1000


def test_encoder_counts_in_its_own_hidden_size():
    layer = LayerGroup(2, (Attention(1, 1, 4, 4, causal=False),), (DenseFeedForward(8, gated=False),))
    encoder = EncoderStack(4, (layer,), max_tokens=10, extra_parameters=5)
    base = Architecture("speech", 10, 7, (LayerGroup(1, (), ()),), None, tied_embeddings=True)
    with_encoder = count_parameters(replace(base, encoder=encoder)).total
    assert with_encoder - count_parameters(base).total == 2 * (4 * 16 + 2 * 32) + 5


@given(architectures)
def test_lines_add_up_to_the_totals(architecture):
    counted = count_parameters(architecture)
    assert sum(line.parameters for line in counted.lines) == counted.total + counted.mtp
    assert sum(counted.by_group.values()) == counted.total + counted.mtp


@given(architectures)
def test_active_is_part_of_total(architecture):
    counted = count_parameters(architecture)
    assert 0 < counted.active <= counted.total
    assert counted.active_excluding_input_embedding <= counted.active


@given(architectures, layer_groups)
def test_a_layer_more_adds_its_own_parameters(architecture, group):
    longer = replace(architecture, layers=(*architecture.layers, group))
    alone = replace(architecture, layers=(group,), mtp=None)
    frame = replace(architecture, layers=(LayerGroup(1, (), ()),), mtp=None)
    added = count_parameters(longer).total - count_parameters(architecture).total
    assert added == count_parameters(alone).total - count_parameters(frame).total


@given(architectures, layer_groups)
def test_twice_the_layers_are_twice_the_parameters(architecture, group):
    frame = count_parameters(replace(architecture, layers=(LayerGroup(1, (), ()),))).total
    single = count_parameters(replace(architecture, layers=(group,))).total - frame
    double = replace(architecture, layers=(replace(group, count=2 * group.count),))
    assert count_parameters(double).total - frame == 2 * single
