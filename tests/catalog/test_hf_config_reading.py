"""Configurations as text: what is no configuration, and what a strict reader has to put up with."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hf_configs import LATENT, LLAMA, imported
from hypothesis import given
from hypothesis import strategies as st

from catalog.importing.hf_config import (
    ConfigError,
    ImportRefused,
    UnsupportedArchitecture,
    architecture_from_hf_config,
    parse_config,
)
from catalog.importing.hf_config.reading import nesting_depth


@pytest.mark.parametrize("text", ["Infinity", "-Infinity", "NaN", "1e308", "1e400", "-1e308"])
def test_non_finite_numbers_become_null(text):
    assert parse_config(f'{{"time_step_limit": [0.0, {text}]}}') == {"time_step_limit": [0.0, None]}


def test_non_finite_numbers_do_not_reach_the_result():
    assert imported(LLAMA, time_step_limit=[0.0, float("inf")]).architecture == imported(LLAMA).architecture


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested 100000 deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested 100000 deep"),
        (b"{" + b" " * 8_000_001, "at most 8000000"),
        ('{"a": 1,}', "line 1 column 9"),
        ('{"a": 1', "line 1 column 8"),
        ("", "line 1 column 1"),
        ("[]", "not an object"),
        ("3", "not an object"),
        (b"\xff\xfe", "not UTF-8"),
        ('{"a": ' + "9" * 5000 + "}", "4300"),
    ],
)
def test_what_is_no_configuration_is_refused_in_one_line(text, message):
    with pytest.raises(ImportRefused, match=message) as refusal:
        parse_config(text)
    assert "\n" not in str(refusal.value)


def test_brackets_in_texts_do_not_nest():
    assert nesting_depth('{"a": "[[[\\"[[", "b": [1]}') == 2


def test_a_byte_order_mark_is_no_fault():
    assert parse_config(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    with suppress(ImportRefused):
        assert isinstance(parse_config(text), dict)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", None),
        ("hidden_size", "64"),
        ("hidden_size", 0),
        ("hidden_size", -64),
        ("hidden_size", 64.5),
        ("hidden_size", 10**30),
        ("hidden_size", True),
        ("num_hidden_layers", []),
        ("num_key_value_heads", 3),
        ("layer_types", "full_attention"),
        ("layer_types", ["full_attention"] * 3),
        ("tie_word_embeddings", "no"),
        ("vocab_size", ...),
    ],
)
def test_a_missing_or_impossible_value_is_named(key, value):
    with pytest.raises(ConfigError, match=key):
        imported(LLAMA, **{key: value})


def test_a_whole_number_written_as_a_fraction_is_one():
    assert imported(LLAMA, hidden_size=64.0).architecture.hidden == 64


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "flan"},
        {"architectures": ["FooForCausalLM"], "model_type": "foo"},
        {**LLAMA, "architectures": ["FooForCausalLM"]},  # a class of its own is not proved by its model_type
        {**LLAMA, "architectures": "LlamaForCausalLM", "model_type": 3},
    ],
)
def test_an_unknown_architecture_is_refused(config):
    with pytest.raises(UnsupportedArchitecture, match="is not known"):
        architecture_from_hf_config(config)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_experts", 8),
        ("kv_lora_rank", 512),
        ("linear_attn_config", {"num_heads": 4}),
        ("hc_mult", 4),
        ("block_configs", [{}]),
        ("layer_types", [["full_attention"]] * 4),
        ("moe_latent_size", 32),
    ],
)
def test_a_part_that_the_family_does_not_have_is_refused(key, value):
    with pytest.raises((UnsupportedArchitecture, ConfigError)):
        imported(LLAMA, **{key: value})


@given(
    st.dictionaries(
        st.sampled_from(sorted({*LATENT, "layer_types", "quantization_config"})),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3),
        max_size=4,
    )
)
def test_damaged_configurations_are_refused_or_read_but_never_crash(damage):
    with suppress(ImportRefused):
        assert architecture_from_hf_config({**LATENT, **damage}).architecture.layers


def test_the_result_is_not_shared_with_the_input():
    config = dict(LLAMA)
    architecture_from_hf_config(config)
    assert config == LLAMA
