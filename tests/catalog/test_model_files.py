"""The language models of the catalogue: counts against what is published, KV terms, and faulty files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from catalog.importing.errors import Problems
from catalog.importing.files import DataFile
from catalog.importing.model_file import (
    MODELS_FOLDER,
    ModelFile,
    model_columns,
    model_file_text,
    read_model_file,
)
from estimates.core.architecture_json import architecture_to_json
from estimates.core.kv_cache import kv_terms
from estimates.core.parameters import count_parameters

PATHS = sorted(MODELS_FOLDER.glob("*.yaml"))


def read(path: Path, root: Path = MODELS_FOLDER) -> tuple[ModelFile | None, list[str]]:
    problems = Problems()
    model = read_model_file(DataFile(path, root), problems)
    return model, [str(problem) for problem in problems]


@pytest.fixture(scope="module")
def models() -> dict[str, ModelFile]:
    found = {}
    for path in PATHS:
        model, problems = read(path)
        assert model is not None, problems
        assert problems == []
        found[model.slug] = model
    return found


def test_there_are_at_least_240(models):
    assert len(models) >= 240
    assert len({model.hf_id for model in models.values()}) == len(models)


def test_slugs_are_repository_names_in_lower_case(models):
    for slug, model in models.items():
        assert slug == model.hf_id.split("/")[1].lower()


def test_counts_meet_what_is_published(models):
    """Best of model, with prediction modules, with their own embedding and head, as publishers count."""
    errors = {}
    for slug, model in models.items():
        if model.published.total and model.kind != "assumed":
            published = model.published.total.value
            errors[slug] = abs(count_parameters(model.described()).closest_to(published) / published - 1)
    exact = [slug for slug, error in errors.items() if error <= 1e-4]
    close = [slug for slug, error in errors.items() if error <= 1e-2]
    assert len(exact) >= 205, len(exact)
    assert len(close) >= 240, len(close)


def test_what_is_over_one_per_cent_off_says_why(models):
    for model in models.values():
        if model.published.total is None:
            continue
        published = model.published.total
        error = count_parameters(model.described()).closest_to(published.value) / published.value - 1
        if abs(error) > 1e-2:
            assert model.notes or published.reason, model.slug


@pytest.mark.parametrize(
    ("slug", "published", "bf16_bytes"),
    [
        # 2 x key-value heads x head width x layers x 2 bytes
        ("meta-llama-3.1-8b", "128 KiB", 2 * 8 * 128 * 32 * 2),
        ("llama-3.1-70b-instruct", "320 KiB", 2 * 8 * 128 * 80 * 2),
        ("meta-llama-3.1-405b", "516.096 KB", 2 * 8 * 128 * 126 * 2),
        ("qwen2.5-72b", "327.680 KB", 2 * 8 * 128 * 80 * 2),
        # (latent 512 + rotary 64) x layers x 2 bytes
        ("deepseek-v3", "70.272 KB", 576 * 61 * 2),
        ("qwen3-30b-a3b", "98,304 B", 2 * 4 * 128 * 48 * 2),
        # four attention layers of forty
        ("granite-4.0-h-small", "16,384 B", 2 * 8 * 128 * 4 * 2),
    ],
)
def test_published_cache_bytes_a_token(models, slug, published, bf16_bytes):
    assert kv_terms(models[slug].described()).growing_bytes_per_token() == bf16_bytes, published


@pytest.mark.parametrize(
    ("slug", "growing", "windows", "fixed"),
    [
        ("gpt-oss-120b", 36_864, {128: 36_864}, 0),
        ("gemma-3-27b-it", 81_920, {1024: 425_984}, 0),
        ("mistral-7b-v0.1", 0, {4096: 131_072}, 0),
        ("llama-4-scout-17b-16e-instruct", 49_152, {8192: 147_456}, 0),
        ("gemma-4-26b-a4b", 20_480, {1024: 204_800}, 0),
        ("kimi-k3", 27_648, {}, 449_372_160),
        ("qwen3.5-397b-a17b", 30_720, {}, 192_061_440),
        ("nemotron-h-56b-base-8k", 40_960, {}, 912_605_184),
        ("minimax-text-01", 40_960, {}, 293_601_280),
        ("granite-4.0-h-small", 16_384, {}, 152_819_712),
        ("jamba-v0.1", 16_384, {}, 16_056_320),
        ("zamba2-7b", 372_736, {}, 152_243_712),
        ("llama-3_3-nemotron-super-49b-v1", 200_704, {}, 0),
        ("nvidia-nemotron-3-super-120b-a12b-fp8", 8_192, {}, 170_229_760),
        ("bge-large-en", 0, {}, 0),
    ],
)
def test_cache_terms_of_hybrids_and_windows(models, slug, growing, windows, fixed):
    terms = kv_terms(models[slug].described())
    assert terms.growing_bytes_per_token() == growing
    assert {term.window: term.elements_per_token * 2 for term in terms.windows} == windows
    assert terms.fixed_state_bytes() == fixed


def test_sparse_indexers_are_apart(models):
    glm = kv_terms(models["glm-5.3"].described())
    assert (glm.growing_bytes_per_token(), glm.indexer_elements_per_token) == (89_856, 21 * 128)
    # 30 layers of 512/4, 31 of 512/128, index keys of 128/4 in the former
    v4 = kv_terms(models["deepseek-v4-pro"].described())
    assert (v4.growing_elements_per_token, v4.indexer_elements_per_token) == (30 * 128 + 31 * 4, 30 * 32)


@pytest.mark.parametrize(
    ("slug", "total", "active"),
    [
        ("llama-3.1-70b-instruct", 70_553_706_496, 70_553_706_496),
        ("deepseek-v3", 671_026_419_200, 37_552_297_472),
        ("gpt-oss-120b", 116_829_156_672, 5_711_982_912),
        ("gpt-oss-20b", 20_914_757_184, 4_187_440_704),
        ("mixtral-8x7b-v0.1", 46_702_792_704, 12_879_925_248),
        ("qwen3-next-80b-a3b-instruct", 79_674_391_296, 3_874_929_408),
        ("kimi-k2-instruct", 1_026_408_232_448, 32_861_500_928),
    ],
)
def test_counts_of_well_known_models(models, slug, total, active):
    counted = count_parameters(models[slug].described())
    assert (counted.total, counted.active) == (total, active)


def test_stored_bytes_by_tensor_group(models):
    # gpt-oss-120b: experts of 114.7 B in MXFP4, the rest in bf16: about 65 GB, not 117 GB
    stored = models["gpt-oss-120b"].quantisation
    assert (stored["routed_experts"].format, stored["mixer"].format) == ("mxfp4", "bf16")
    kimi = models["kimi-k2.5"].quantisation
    assert (kimi["routed_experts"].format, kimi["shared_experts"].format) == ("int4", "bf16")


def test_the_assumed_model_is_marked(models):
    assumed = models["gpt-moe-1.8t"]
    assert (assumed.kind, assumed.confidence) == ("assumed", "low")
    counted = count_parameters(assumed.described())
    # 2 x 15,360 x 30,720 x 16 x 120 in the experts, 1.869 T without the embedding
    assert counted.by_group["routed_experts"] == 1_811_939_328_000
    assert round((counted.total - counted.by_group["embedding"]) / 1e12, 3) == 1.869


def test_reconstructed_architectures_are_derived_and_of_low_confidence(models):
    rebuilt = [model for model in models.values() if model.config.fidelity == "reconstructed"]
    assert rebuilt
    assert {(model.kind, model.confidence) for model in rebuilt} == {("derived", "low")}


def test_files_are_in_the_projects_own_form(models):
    for path in PATHS:
        assert path.read_text(encoding="utf-8") == model_file_text(models[path.stem]), path.name


def test_every_alias_names_a_model(models):
    lines = (MODELS_FOLDER.parent / "model_aliases.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) >= 100
    assert {line.rsplit(",", 2)[1] for line in lines} <= set(models)


def test_columns_follow_from_the_file(models):
    columns = model_columns(models["gpt-oss-120b"])
    assert columns["role"] == "decoder"
    assert columns["attention_kind"] == "gqa+window"
    assert columns["parameters_active_without_embedding"] == 5_132_849_472
    assert columns["kv_growing_elements"] == 18_432
    assert columns["kv_window_elements"] == 18_432 * 128
    assert columns["architecture"] == architecture_to_json(models["gpt-oss-120b"].described())


def broken(tmp_path: Path, change) -> list[str]:
    data = yaml.safe_load((MODELS_FOLDER / "llama-3.1-70b-instruct.yaml").read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / "llama-3.1-70b-instruct.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return read(path, tmp_path)[1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda data: data.update(slug="other"), "slug: 'other'"),
        (lambda data: data.update(licens="x"), "licens"),
        (lambda data: data.update(native_format="fp9"), "native_format: 'fp9'"),
        (lambda data: data.update(release_date="yesterday"), "release_date"),
        (lambda data: data["quantisation"].pop("mixer"), "quantisation.mixer"),
        (lambda data: data["quantisation"].update(wheels={"format": "bf16", "bits": 16.0}), "quantisation"),
        (lambda data: data["quantisation"]["mixer"].update(bits=0), "quantisation.mixer.bits"),
        (lambda data: data["published"]["total"].update(value=-1), "published.total.value"),
        (lambda data: data["published"]["total"].pop("source"), "published.total"),
        (lambda data: data["architecture"].update(hidden="8192"), "architecture.hidden"),
        (
            lambda data: data["architecture"]["layers"][0]["mixers"][0].update(kv_heads=7),
            "architecture.layers[0].mixers[0].kv_heads",
        ),
    ],
)
def test_a_faulty_file_is_named_with_line_and_field(tmp_path, change, field):
    problems = broken(tmp_path, change)
    assert len(problems) == 1
    assert problems[0].startswith("llama-3.1-70b-instruct.yaml:")
    assert field in problems[0]
    assert "accepted:" in problems[0]


def test_the_line_is_that_of_the_fault(tmp_path):
    def change(data):
        data["architecture"]["layers"][0]["mixers"][0]["kv_heads"] = 7

    (problem,) = broken(tmp_path, change)
    line = int(problem.split(":")[1])
    text = (tmp_path / "llama-3.1-70b-instruct.yaml").read_text(encoding="utf-8").splitlines()
    assert text[line - 1].strip() == "kv_heads: 7"
