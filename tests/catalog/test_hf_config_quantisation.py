"""How checkpoints say what their weights are stored as, in all the forms seen."""

from __future__ import annotations

import pytest
from hf_configs import LATENT, LLAMA, imported

from catalog.importing.hf_config import UnsupportedArchitecture, architecture_from_hf_config
from catalog.importing.hf_config.quantisation import weight_bytes
from estimates.core.parameters import count_parameters

ROUTED = {**LATENT, "num_nextn_predict_layers": 1}


def formats(base: dict, quantised: dict | None, external: dict | None = None) -> dict[str, tuple[str, float]]:
    config = {**base, "quantization_config": quantised} if quantised else base
    stored = architecture_from_hf_config(config, external).quantisation
    return {group: (form.format, round(form.bits, 3)) for group, form in stored.items()}


BF16 = ("bf16", 16.0)


def test_without_quantisation_all_is_the_dtype():
    assert set(formats(LLAMA, None).values()) == {BF16}


@pytest.mark.parametrize(
    ("quantised", "expected"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, ("fp8_block", 8.002)),
        ({"quant_method": "fp8", "weight_block_size": None}, ("fp8", 8.0)),
        ({"quant_method": "fbgemm_fp8"}, ("fp8", 8.0)),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, ("nvfp4", 4.5)),
        ({"quant_algo": "FP8"}, ("fp8", 8.0)),
        # bits + 16/128 for the scale, + 4/128 for AWQ's zero point
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, ("int4_awq", 4.156)),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True}, ("int4", 4.125)),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1, "sym": True}, ("int8", 8.0)),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, ("int4", 4.5)),
        ({"bits": 4, "group_size": 64}, ("int4", 4.5)),
    ],
)
def test_matrices_take_the_format_and_the_rest_stays_wide(quantised, expected):
    stored = formats(LLAMA, quantised)
    assert stored["mixer"] == stored["dense_ffn"] == expected
    assert stored["head"] == stored["embedding"] == stored["norms"] == stored["router"] == BF16


def compressed(**weights: object) -> dict:
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": weights}}}


@pytest.mark.parametrize(
    ("weights", "layout", "expected"),
    [
        ({"num_bits": 4, "type": "int", "group_size": 32}, "pack-quantized", ("int4", 4.5)),
        ({"num_bits": 4, "type": "float", "group_size": 16}, "nvfp4-pack-quantized", ("nvfp4", 4.5)),
        ({"num_bits": 4, "type": "float", "group_size": 32}, "mxfp4-pack-quantized", ("mxfp4", 4.25)),
        ({"num_bits": 8, "type": "float", "strategy": "channel"}, "float-quantized", ("fp8", 8.0)),
        ({"num_bits": 8, "type": "float", "strategy": "block"}, "float-quantized", ("fp8_block", 8.002)),
        ({"num_bits": 8, "type": "int", "group_size": None}, "int-quantized", ("int8", 8.0)),
    ],
)
def test_compressed_tensors_by_bits_type_and_group(weights, layout, expected):
    assert formats(LLAMA, {**compressed(**weights), "format": layout})["mixer"] == expected


def test_compressed_tensors_without_naming_the_method():
    section = compressed(num_bits=4, type="float", group_size=16)
    del section["quant_method"]
    assert formats(LLAMA, section)["mixer"] == ("nvfp4", 4.5)


def test_mxfp4_of_gpt_oss_is_for_the_experts_alone():
    ignore = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    stored = formats(ROUTED, {"quant_method": "mxfp4", "modules_to_not_convert": ignore})
    assert stored["routed_experts"] == ("mxfp4", 4.25)
    assert {stored[group] for group in stored if group != "routed_experts"} == {BF16}


def test_experts_may_be_four_bit_in_a_checkpoint_called_fp8():
    section = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    stored = formats({**ROUTED, "expert_dtype": "fp4"}, section)
    assert stored["routed_experts"] == ("mxfp4", 4.25)
    assert stored["mixer"] == ("fp8_block", 8.002)


def test_patterns_leave_groups_wide():
    ignore = [
        "lm_head",
        "re:.*self_attn.*",
        "re:.*shared_experts.*",
        "re:.*mlp\\.(gate|up|gate_up|down)_proj.*",
    ]
    stored = formats(ROUTED, {**compressed(num_bits=4, type="int", group_size=32), "ignore": ignore})
    assert stored["mixer"] == stored["shared_experts"] == stored["dense_ffn"] == BF16
    assert stored["routed_experts"] == ("int4", 4.5)


def test_prediction_layers_are_named_by_number_or_by_name():
    section = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    for pattern in ("mtp*", "model.layers.4*", "model.layers.4.*"):
        stored = formats(ROUTED, {**section, "ignore": [pattern]})
        assert stored["mtp"] == BF16
        assert stored["routed_experts"] == ("nvfp4", 4.5)
    assert formats(ROUTED, {**section, "ignore": ["model.layers.4.enorm"]})["mtp"] == ("nvfp4", 4.5)


def test_a_layer_left_wide_weighs_by_its_share():
    # one layer of four: (3 x 8 + 1 x 16) / 4 bits
    ignore = [f"model.layers.0.mlp.{part}_proj" for part in ("gate", "up", "down")]
    stored = formats(LLAMA, {"quant_method": "fp8", "modules_to_not_convert": ignore})
    assert stored["dense_ffn"] == ("fp8", 10.0)
    assert stored["mixer"] == ("fp8", 8.0)


def test_a_projection_left_wide_weighs_by_its_share():
    # key and value projections are 2 x 64 x 16 of 64 x (64 + 32 + 64): a fifth
    ignore = [f"model.layers.{layer}.self_attn.{name}_proj" for layer in range(4) for name in "kv"]
    stored = formats(LLAMA, {"quant_method": "fp8", "modules_to_not_convert": ignore})
    assert stored["mixer"] == ("fp8", round(0.8 * 8 + 0.2 * 16, 3))


def test_a_dense_layer_left_wide_does_not_touch_the_experts():
    stored = formats(
        ROUTED, {"quant_algo": "NVFP4", "quant_method": "modelopt", "ignore": ["model.layers.0*"]}
    )
    assert stored["dense_ffn"] == BF16
    assert stored["routed_experts"] == ("nvfp4", 4.5)


def test_the_format_may_stand_in_the_other_file_alone():
    external = {
        "producer": {"name": "modelopt"},
        "quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]},
    }
    model = architecture_from_hf_config(LLAMA, external)
    assert model.quantisation["dense_ffn"].format == "nvfp4"
    assert model.kv_format == "fp8"


def test_mixed_precision_lists_its_layers():
    layers = {
        "model.layers.0.mlp.experts": {"quant_algo": "W4A16_NVFP4"},
        "model.layers.0.mlp.shared_expert.up_proj": {"quant_algo": "MXFP8"},
        "model.layers.0.self_attn.q_proj": {"quant_algo": "FP8"},
        "lm_head": {"quant_algo": "NVFP4"},
    }
    stored = formats(
        ROUTED, {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": layers}
    )
    assert stored["routed_experts"] == stored["head"] == ("nvfp4", 4.5)
    assert stored["shared_experts"] == ("mxfp8", 8.25)
    assert stored["mixer"] == ("fp8", 8.0)
    assert stored["dense_ffn"] == stored["mtp"] == BF16


def test_four_bit_experts_laid_over_block_fp8():
    section = {
        "quant_method": "fp8",
        "quant_algo": "MIXED_PRECISION",
        "weight_block_size": [128, 128],
        "quantized_layers": {"layers.0.ffn.experts": {"quant_algo": "NVFP4"}},
        "ignore": ["*.attn.*", "*.ffn.shared_experts.*", "head", "mtp.*"],
    }
    stored = formats(ROUTED, section)
    assert stored["routed_experts"] == ("nvfp4", 4.5)
    assert stored["mixer"] == stored["shared_experts"] == ("fp8_block", 8.002)


@pytest.mark.parametrize(
    "section",
    [
        {"quant_method": "quip", "bits_per_weight": 2},
        {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"},
        {
            "quant_algo": "MIXED_PRECISION",
            "quantized_layers": {"model.layers.0.mlp.up_proj": {"quant_algo": "INT3"}},
        },
    ],
)
def test_an_unknown_format_is_refused(section):
    with pytest.raises(UnsupportedArchitecture):
        formats(LLAMA, section)


def test_weight_bytes_are_the_sum_over_tensor_groups():
    model = imported(LLAMA, quantization_config={"quant_method": "modelopt", "quant_algo": "NVFP4"})
    counted = count_parameters(model.architecture).by_group
    matrices = counted["mixer"] + counted["dense_ffn"]
    wide = counted["embedding"] + counted["head"] + counted["norms"]
    assert weight_bytes(model.architecture, model.quantisation) == matrices * 4.5 / 8 + wide * 2


def test_the_checkpoint_is_called_by_what_most_of_it_is():
    assert imported(LLAMA, quantization_config={"quant_method": "fp8"}).native_format == "fp8"
    huge = {"quant_method": "fp8"}
    assert imported(LLAMA, vocab_size=10**6, quantization_config=huge).native_format == "bf16"
