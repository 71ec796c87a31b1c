"""What makes two configurations alike: names of chip, software, architecture, format and serving."""

from __future__ import annotations

from dataclasses import replace

import pytest

from estimates.core.architecture import DenseFeedForward, LayerGroup
from estimates.core.identity import architecture_family, architecture_key, identity_of
from tests.core.architectures import deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.kinds import KINDS
from tests.core.machines import CORSAIR, H100, UNKNOWN_BANDWIDTH


def test_checkpoints_of_one_shape_are_one_architecture_whatever_they_are_called():
    """Vocabulary, longest context and the layers for speculation do not change how a decoder runs."""
    other = replace(deepseek_v3(), vocab=200_000, max_context=32_768, mtp=None)
    assert architecture_key(other) == architecture_key(deepseek_v3())


def test_another_layer_is_another_architecture():
    shape = llama_70b()
    group = shape.layers[0]
    shorter = replace(shape, layers=(replace(group, count=79),))
    wider = replace(shape, layers=(replace(group, feed_forwards=(DenseFeedForward(28_673),)),))
    keys = {architecture_key(one) for one in (shape, shorter, wider, replace(shape, hidden=4096))}
    assert len(keys) == 4


def test_order_of_layers_counts():
    first, second = gpt_oss_120b().layers
    turned = replace(gpt_oss_120b(), layers=(second, first))
    assert architecture_key(turned) != architecture_key(gpt_oss_120b())


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("grouped-query attention", "dense"),
        ("sliding window", "dense"),
        ("mixture of experts", "experts"),
        ("dense beside experts", "experts"),
        ("latent attention", "latent"),
        ("sparse with indexer", "latent"),
        ("mamba 2", "hybrid"),
        ("attention beside mamba", "hybrid"),
    ],
)
def test_families_of_decoders(kind: str, family: str):
    assert architecture_family(KINDS[kind]) == family


def test_latent_attention_stands_before_experts():
    assert architecture_family(deepseek_v3()) == "latent"


def test_generation_and_vendor_are_of_one_kind_of_chip():
    """What is learnt of a vendor's accelerators says nothing of its processors."""
    found = identity_of(CORSAIR, "llama.cpp", "int8", llama_70b(), "static")
    assert (found.generation, found.vendor, found.kind) == (
        "DIMC/sram_first",
        "d-Matrix/sram_first",
        "sram_first",
    )


def test_what_is_not_known_is_empty():
    found = identity_of(UNKNOWN_BANDWIDTH, None, "fp8", llama_70b(), "closed_loop", "1.2")
    assert (found.generation, found.software, found.version) == ("", "", "")


def test_a_version_is_of_its_software():
    vllm = identity_of(H100, "vllm", "fp8", llama_70b(), "closed_loop", "0.8")
    sglang = identity_of(H100, "sglang", "fp8", llama_70b(), "closed_loop", "0.8")
    assert (vllm.version, sglang.version) == ("vllm/0.8", "sglang/0.8")


def test_another_serving_changes_nothing_else():
    found = identity_of(H100, "vllm", "fp8", llama_70b(), "closed_loop", "0.8")
    assert found.served("saturated") == replace(found, serving="saturated")


def test_norms_are_part_of_the_shape():
    """LayerGroup counts every parameter of a layer: two decoders that differ in any are two."""
    layer = LayerGroup(80, llama_70b().layers[0].mixers, llama_70b().layers[0].feed_forwards, 0)
    assert architecture_key(replace(llama_70b(), layers=(layer,))) != architecture_key(llama_70b())
