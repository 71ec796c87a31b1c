"""The data of published checkpoints: readable, of models that exist, and used for what it says."""

from __future__ import annotations

import pytest
import yaml

from catalog.importing.model_file import MODELS_FOLDER
from estimates import checkpoints
from estimates.checkpoints import InvalidCheckpoint, published_schemes, stored_groups
from estimates.core.architecture_json import architecture_from_json
from estimates.core.weight_schemes import named_scheme


def model_file(slug: str):
    return yaml.safe_load((MODELS_FOLDER / f"{slug}.yaml").read_text(encoding="utf-8"))


def test_every_model_named_is_in_the_catalogue():
    named = {model for row in checkpoints.checkpoints() for model in row.models}
    assert {slug for slug in named if not (MODELS_FOLDER / f"{slug}.yaml").exists()} == set()


def test_a_model_has_one_checkpoint_a_format():
    pairs = [(model, row.format) for row in checkpoints.checkpoints() for model in row.models]
    assert len(pairs) == len(set(pairs))


def test_no_model_has_another_checkpoint_of_its_own_format():
    own = [
        (model, row.format)
        for row in checkpoints.checkpoints()
        for model in row.models
        if model_file(model)["native_format"] == row.format
    ]
    assert own == []


def test_groups_of_a_catalogued_checkpoint_agree_with_its_file():
    by_repository = {}
    for path in MODELS_FOLDER.glob("*.yaml"):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        by_repository[data["hf_id"]] = data["quantisation"]
    compared = 0
    for row in checkpoints.checkpoints():
        stored = by_repository.get(row.name)
        for group, number_format, bits in row.groups if stored else ():
            assert stored[group]["format"] == number_format, row
            if bits:
                assert stored[group]["bits"] == bits, row
            compared += 1
    assert compared > 100


def test_deepseek_in_nvfp4_has_the_mixed_attention_of_its_checkpoint():
    architecture = architecture_from_json(model_file("deepseek-r1")["architecture"])
    (scheme,) = [s for s in published_schemes("deepseek-r1", architecture) if s.slug == "nvfp4"]
    assert scheme.group("attention").bits == 8.781786
    assert scheme.group("routed_experts").bits == 4.5
    assert (scheme.shared_experts, scheme.head, scheme.kv, scheme.activation) == (
        "nvfp4",
        "bf16",
        "fp8",
        "nvfp4",
    )


def test_groups_that_are_not_named_stay_as_usual():
    architecture = architecture_from_json(model_file("deepseek-r1")["architecture"])
    usual = named_scheme("q4_k_m", architecture)
    stored = stored_groups(usual, {"mixer": "q8_0"}, slug="q4_k_m")
    assert (stored.attention, stored.group("attention").bits) == ("q8_0", 8.5)
    assert stored.group("routed_experts") == usual.group("routed_experts")


@pytest.mark.parametrize(
    ("column", "value"), [("mixer", "fp3"), ("mixer", "bf16:many"), ("format", "fp3"), ("models", " ")]
)
def test_an_impossible_row_is_refused_by_line_and_column(tmp_path, monkeypatch, column, value):
    row = dict.fromkeys(checkpoints.COLUMNS, "")
    row |= {"models": "m", "format": "nvfp4", "checkpoint": "c", "source": "s", column: value}
    file = tmp_path / "checkpoints.csv"
    file.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", file)
    with pytest.raises(InvalidCheckpoint, match=rf"checkpoints.csv:2: {column} is"):
        checkpoints.checkpoints.__wrapped__()
