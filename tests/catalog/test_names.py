"""A language model is found by slug, repository or a printed name; the more exact one counts."""

import pytest

from catalog.models import LanguageModel, ModelAlias
from catalog.names import find_model, model_slugs

pytestmark = pytest.mark.django_db


def model(slug: str, repository: str) -> LanguageModel:
    return LanguageModel.objects.create(
        slug=slug,
        hf_id=repository,
        name=slug,
        role="decoder",
        architecture={},
        parameters_total=1,
        parameters_active=1,
        parameters_active_without_embedding=1,
        kv_growing_elements=1,
    )


@pytest.mark.parametrize(
    "name", ["meta-llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B", "Llama 3.1 8B", "llama 3.1 8b"]
)
def test_slug_repository_and_printed_name_lead_to_the_model(name: str) -> None:
    llama = model("meta-llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B")
    ModelAlias.objects.create(name="Llama 3.1 8B", language_model=llama)
    assert find_model(name) == llama


def test_a_slug_counts_before_an_alias_of_another_model() -> None:
    base, chat = model("gemma-2b", "google/gemma-2b"), model("gemma-2b-it", "google/gemma-2b-it")
    ModelAlias.objects.create(name="gemma-2b", language_model=chat)
    assert find_model("gemma-2b") == base


def test_an_unknown_name_leads_nowhere() -> None:
    assert find_model("nonesuch") is None
    assert model_slugs(["nonesuch"]) == {}


def test_names_that_differ_by_letter_case_all_lead_to_the_model() -> None:
    tiny = model("tinyllama-1.1b", "TinyLlama/TinyLlama-1.1B")
    ModelAlias.objects.create(name="TinyLlama 1.1B", language_model=tiny)
    names = ["TinyLlama 1.1B", "TinyLLAMA 1.1B"]
    assert model_slugs(names) == dict.fromkeys(names, tiny.slug)
