"""Models as publications print them, by architecture: checkpoints of one shape run equally fast."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.models import LanguageModel
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.from_catalog import digest_of
from estimates.measured.questions import Names


def architectures(printed: Iterable[str], names: Names) -> dict[str, str]:
    """Printed name -> the shortest slug among these models of its architecture; one query.

    Models that are not in the catalogue, or whose architecture cannot be read, are left out.
    """
    slug_of = {name: model.slug for name in set(printed) if (model := names.model(name)) is not None}
    shapes: dict[str, str] = {}
    rows = LanguageModel.objects.filter(slug__in=set(slug_of.values())).values_list("slug", "architecture")
    for slug, stored in rows:
        try:
            architecture = architecture_from_json(stored)
        except ArchitectureError:
            continue
        shapes[slug] = digest_of(architecture.hidden, architecture.vocab, architecture.layers)
    label: dict[str, str] = {}
    for slug in sorted(shapes, key=lambda slug: (len(slug), slug)):
        label.setdefault(shapes[slug], slug)
    return {name: label[shapes[slug]] for name, slug in slug_of.items() if slug in shapes}
