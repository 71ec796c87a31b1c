"""`manage.py import_model`: what it prints, what it stores, and how it refuses."""

from __future__ import annotations

import io
import json
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hf_configs import LLAMA

from catalog.figures import accepted_figure
from catalog.importing import imported_model
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile
from catalog.importing.model_file import read_model_file
from catalog.models import LanguageModel, Vendor

# 4 layers of 64 x 64 + 2 x 64 x 16 + 64 x 64 + 3 x 64 x 96 + 128, 2 x 100 x 64, final norm 64
TOTAL = 4 * (4096 + 2048 + 4096 + 18432 + 128) + 12800 + 64


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_model", *arguments, stdout=out)
    return out.getvalue()


def test_prints_architecture_counts_and_cache_as_tables(config):
    text = run(config)
    assert "llama: decoder, gqa, context 4096, stored as bf16" in text
    assert f"{TOTAL:,}" in text
    assert "KV elements a token, growing" in text


def test_prints_json(config):
    result = json.loads(run(config, "--json"))
    assert result["parameters"]["total"] == TOTAL
    assert result["kv_cache"]["growing_elements_per_token"] == 4 * 2 * 2 * 8
    assert result["weight_bytes"] == 2 * TOTAL
    assert result["architecture"]["layers"][0]["count"] == 4


def test_reads_standard_input(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(LLAMA).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert json.loads(run("-", "--json"))["parameters"]["total"] == TOTAL


def test_reads_the_other_files_formats(config, tmp_path):
    quant = tmp_path / "hf_quant_config.json"
    quant.write_text(json.dumps({"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}}))
    result = json.loads(run(config, "--quant", str(quant), "--json"))
    assert (result["native_format"], result["kv_format"]) == ("nvfp4", "fp8")


@pytest.mark.parametrize(
    ("published", "words"),
    [(TOTAL, "the model (+0.0000%)"), (TOTAL + 100, "the model (-")],
)
def test_a_published_total_is_matched(config, published, words):
    assert words in json.loads(run(config, "--published-total", str(published), "--json"))["published_match"]


def test_a_tied_head_may_be_stored_all_the_same(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**LLAMA, "tie_word_embeddings": True}), encoding="utf-8")
    result = json.loads(run(str(path), "--published-total", str(TOTAL), "--json"))
    assert "stored copy of its tied head (+0.0000%)" in result["published_match"]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (
            '{"architectures": ["FooForCausalLM"]}',
            [],
            "architecture is not known (architectures: FooForCausalLM",
        ),
        ("[" * 100_000, [], "nested 100000 deep"),
        ("{", [], "line 1 column 2"),
        (json.dumps({**LLAMA, "hidden_size": None}), [], "hidden_size"),
        (json.dumps(LLAMA), ["--published-total", str(2 * TOTAL)], "apart"),
        (json.dumps(LLAMA), ["--published-total", "0"], "positive"),
        (json.dumps(LLAMA), ["--save"], "--hf-id"),
        (json.dumps(LLAMA), ["--save", "--hf-id", "nameless"], "ORGANISATION/NAME"),
        (json.dumps(LLAMA), ["--write", "--hf-id", "a/b", "--slug", "No Slug"], "slug"),
        (json.dumps(LLAMA), ["--quant", "missing.json"], "missing.json: No such file"),
    ],
)
@pytest.mark.django_db
def test_a_refusal_is_one_line_and_stores_nothing(tmp_path, content, arguments, message):
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError) as refusal:
        run(str(path), *arguments)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1
    assert not LanguageModel.objects.exists()


def test_a_missing_file_is_one_line():
    with pytest.raises(CommandError, match=r"^nowhere\.json: No such file"):
        run("nowhere.json")


@pytest.mark.django_db
def test_saves_the_model_with_its_figures(config):
    run(config, "--hf-id", "Some-Lab/Small-Llama", "--published-total", str(TOTAL), "--save")
    row = LanguageModel.objects.get(slug="small-llama")
    assert (row.parameters_total, row.kv_growing_elements, row.max_context) == (TOTAL, 128, 4096)
    assert row.publisher == Vendor.objects.get(slug="some-lab")
    assert accepted_figure(row, "published_parameters").value == TOTAL
    assert accepted_figure(row, "max_context").kind == "derived"


@pytest.mark.django_db
def test_saving_again_changes_nothing_and_keeps_what_an_editor_wrote(config):
    run(config, "--hf-id", "some-lab/small-llama", "--save")
    LanguageModel.objects.update(licence="mit")
    version = LanguageModel.objects.get().version
    run(config, "--hf-id", "some-lab/small-llama", "--save")
    row = LanguageModel.objects.get()
    assert (row.licence, row.version) == ("mit", version)


@pytest.mark.django_db
def test_a_slug_of_another_repository_is_not_overwritten(config):
    run(config, "--hf-id", "some-lab/small-llama", "--save")
    with pytest.raises(CommandError, match="belongs to some-lab/small-llama"):
        run(config, "--hf-id", "other-lab/small-llama", "--save")
    run(config, "--hf-id", "other-lab/small-llama", "--slug", "other-lab-small-llama", "--save")
    assert LanguageModel.objects.count() == 2


def test_writes_a_file_that_the_catalogue_reads(config, tmp_path, monkeypatch):
    monkeypatch.setattr(imported_model.write_model_file, "__defaults__", (tmp_path,))
    run(config, "--hf-id", "some-lab/small-llama", "--write")
    problems = Problems()
    model = read_model_file(DataFile(tmp_path / "small-llama.yaml", tmp_path), problems)
    assert [str(problem) for problem in problems] == []
    assert model.hf_id == "some-lab/small-llama"
    with pytest.raises(CommandError, match="exists"):
        run(config, "--hf-id", "some-lab/small-llama", "--write")
