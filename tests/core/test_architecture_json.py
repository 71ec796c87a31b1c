"""Architectures as JSON: nothing lost, nothing unknown let in, faults named by their path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from estimates.core.architecture_json import ArchitectureError, architecture_from_json, architecture_to_json
from estimates.core.attention_kind import attention_kind
from tests.core.architectures import architectures, deepseek_v3, llama_70b


@given(architectures)
def test_round_trip(architecture):
    text = json.dumps(architecture_to_json(architecture))
    assert architecture_from_json(json.loads(text)) == architecture


def test_defaults_are_left_out():
    layer = architecture_to_json(llama_70b())["layers"][0]
    assert layer["mixers"] == [
        {"kind": "attention", "heads": 64, "kv_heads": 8, "head_dim": 128, "v_head_dim": 128}
    ]
    assert layer["feed_forwards"] == [{"kind": "dense", "intermediate": 28672}]


def changed(path: str, value: object) -> dict:
    data = architecture_to_json(deepseek_v3())
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at = data
    for step in steps:
        at = at[step]
    at[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("layers.0.mixers.0.heads", 0, "architecture.layers[0].mixers[0].heads"),
        ("layers.0.mixers.0.heads", "128", "architecture.layers[0].mixers[0].heads"),
        ("layers.0.mixers.0.heads", True, "architecture.layers[0].mixers[0].heads"),
        ("layers.0.mixers.0.heads", 10**16, "architecture.layers[0].mixers[0].heads"),
        ("layers.0.mixers.0.kind", "attn", "architecture.layers[0].mixers[0].kind"),
        ("layers.0.mixers.0.kind", "dense", "architecture.layers[0].mixers[0].kind"),
        ("layers.0.mixers.0.head_dim", 1, "architecture.layers[0].mixers[0].head_dim"),
        ("layers.1.feed_forwards.0.top_k", 257, "architecture.layers[1].feed_forwards[0].top_k"),
        ("layers.1.weight_sets", 59, "architecture.layers[1].weight_sets"),
        ("layers", [], "architecture.layers"),
        ("layers", {}, "architecture.layers"),
        ("role", "chat", "architecture.role"),
        ("hidden", None, "architecture.hidden"),
        ("hidden", 7168.5, "architecture.hidden"),
        ("tied_embeddings", 0, "architecture.tied_embeddings"),
        ("hiden", 7168, "architecture.hiden"),
    ],
)
def test_a_fault_is_named_by_its_path(path, value, where):
    with pytest.raises(ArchitectureError) as fault:
        architecture_from_json(changed(path, value))
    assert fault.value.path == where
    assert fault.value.accepted


def test_a_missing_field_is_named():
    data = architecture_to_json(llama_70b())
    del data["layers"][0]["mixers"][0]["kv_heads"]
    with pytest.raises(ArchitectureError, match=r"layers\[0\]\.mixers\[0\]\.kv_heads.*required"):
        architecture_from_json(data)


def test_heads_are_a_multiple_of_key_value_heads():
    data = architecture_to_json(llama_70b())
    data["layers"][0]["mixers"][0]["kv_heads"] = 7
    with pytest.raises(ArchitectureError, match="a divisor of heads"):
        architecture_from_json(data)


@pytest.mark.parametrize("data", [None, [], "x", 3])
def test_only_an_object_is_an_architecture(data):
    with pytest.raises(ArchitectureError, match="expected an object"):
        architecture_from_json(data)


def test_attention_is_labelled():
    assert attention_kind(llama_70b()) == "gqa"
    assert attention_kind(deepseek_v3()) == "mla"
