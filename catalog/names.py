"""Finding a language model by whatever people call it: slug, repository, or a name that sources print."""

from collections.abc import Iterable, Mapping

from django.db.models.functions import Lower

from catalog.models import LanguageModel, ModelAlias


def model_slugs(names: Iterable[str]) -> Mapping[str, str]:
    """Slugs of models by slug, repository (`meta-llama/Llama-3.1-8B`) or alias, letter case ignored.

    Where a name is several of these, the slug counts before the repository, and that before the alias.
    """
    names = list(names)
    wanted = {name.lower() for name in names}
    found = dict(
        ModelAlias.objects.annotate(low=Lower("name"))
        .filter(low__in=wanted)
        .order_by()
        .values_list("low", "language_model__slug")
    )
    for column in ("hf_id", "slug"):
        rows = LanguageModel.objects.annotate(low=Lower(column)).filter(low__in=wanted).order_by()
        found |= dict(rows.values_list("low", "slug"))
    return {name: found[name.lower()] for name in names if name.lower() in found}


def find_model(name: str) -> LanguageModel | None:
    """The model of that slug, repository or printed name, or None."""
    slug = model_slugs([name]).get(name)
    return LanguageModel.objects.get(slug=slug) if slug else None
