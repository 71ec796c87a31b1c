"""An imported configuration as a model file or a database row: names, the check against a published count."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from catalog.figures import accept_figure
from catalog.hints import model_changed
from catalog.importing.hf_config import ImportedModel, ImportRefused
from catalog.importing.model_file import MODELS_FOLDER, ModelFile, model_columns, model_file_text
from catalog.models import LanguageModel, Vendor
from catalog.models.sources import FigureKind
from estimates.core.architecture_json import architecture_to_json
from estimates.core.parameters import count_parameters

TOLERANCE = 0.02  # of the published total: beyond it the configuration is not that checkpoint's
# Columns that are figures, and where an import takes them from.
FIGURES = {
    "max_context": "as the configuration states it",
    "published_parameters": "given with the import",
    "published_active_parameters": "given with the import",
}


def check_published(imported: ImportedModel, published: int) -> str:
    """Compare the count with a published safetensors total; says what explains the best match.

    Raises ImportRefused when nothing a checkpoint stores comes within 2%.
    """
    architecture = imported.architecture
    counted = count_parameters(architecture)
    candidates = {
        "the model": counted.total,
        "the model with its prediction modules": counted.total + counted.mtp,
        "the model with its prediction modules and their own embedding and head": counted.checkpoint_total,
    }
    if architecture.tied_embeddings and architecture.has_head:
        copy = architecture.vocab * architecture.hidden
        candidates["the model with a stored copy of its tied head"] = counted.total + copy
    name = min(candidates, key=lambda key: abs(candidates[key] - published))
    error = candidates[name] / published - 1
    if abs(error) > TOLERANCE:
        raise ImportRefused(
            f"computed {candidates[name]:,} parameters ({name}), published {published:,}: {error:+.2%} apart "
            f"where {TOLERANCE:.0%} is the most; the configuration is not that of the published checkpoint"
        )
    return f"{name} ({error:+.4%})"


def slug_of(hf_id: str) -> str:
    """The repository's name in lower case, without its organisation."""
    slug = re.sub(r"[^a-z0-9._-]", "-", hf_id.rsplit("/", 1)[-1].lower()).strip("-._")
    if not slug:
        raise ImportRefused(f"--hf-id {hf_id!r} gives no slug; name one with --slug")
    return slug


def as_model_file(imported: ImportedModel, hf_id: str, slug: str | None, published: int | None) -> ModelFile:
    """The model file of an import; what the configuration does not say (licence, date) stays empty."""
    if not re.fullmatch(r"[^/\s]+/[^/\s]+", hf_id):
        raise ImportRefused(f"--hf-id {hf_id!r} is not accepted; expected ORGANISATION/NAME")
    total = {"value": published, "kind": "derived", "reason": "given with the import"} if published else None
    try:
        return ModelFile.model_validate(_fields(imported, hf_id, slug or slug_of(hf_id), total))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise ImportRefused(f"{where}: {fault['input']!r} is not accepted: {fault['msg']}") from None


def _fields(imported: ImportedModel, hf_id: str, slug: str, total: dict[str, Any] | None) -> dict[str, Any]:
    organisation, name = hf_id.split("/")
    used = {group for group, count in count_parameters(imported.architecture).by_group.items() if count}
    return {
        "slug": slug,
        "name": name,
        "hf_id": hf_id,
        "publisher": slug_of(organisation),
        "family": imported.family,
        "kind": "derived",
        "confidence": "medium",
        "config": {"path": "config.json", "fidelity": "verbatim"},
        "published": {"total": total},
        "dtype": imported.dtype or "",
        "native_format": imported.native_format,
        "kv_format": imported.kv_format,
        "quantisation": {
            group: asdict(stored) for group, stored in imported.quantisation.items() if group in used
        },
        "architecture": architecture_to_json(imported.architecture),
        "notes": list(imported.warnings),
    }


def write_model_file(model: ModelFile, folder: Path = MODELS_FOLDER) -> Path:
    """Write the data file, never over one that stands: a reviewed file has more than a configuration says."""
    path = folder / f"{model.slug}.yaml"
    if path.exists():
        raise ImportRefused(f"{path} exists; choose another slug with --slug, or remove the file first")
    path.write_text(model_file_text(model), encoding="utf-8")
    return path


@transaction.atomic
def save_model(model: ModelFile) -> tuple[LanguageModel, bool]:
    """Store the model in the database; returns the row and whether it is new.

    What the configuration does not say (licence, date, publisher) stays as it is in a row that exists. The
    figures of the import become the accepted ones, their forerunners rivals.
    """
    columns = model_columns(model)
    slug, publisher = columns.pop("slug"), columns.pop("publisher")
    taken = LanguageModel.objects.filter(hf_id=model.hf_id).exclude(slug=slug).first()
    if taken is not None:
        raise ImportRefused(f"{model.hf_id} is stored as {taken.slug}; give --slug {taken.slug}")
    other = LanguageModel.objects.filter(slug=slug).exclude(hf_id=model.hf_id).first()
    if other is not None:
        raise ImportRefused(f"the slug {slug} belongs to {other.hf_id}; choose another with --slug")
    figures = {name: columns.pop(name) for name in FIGURES}
    stated = {name: value for name, value in columns.items() if value not in ("", None)}
    if not LanguageModel.objects.filter(slug=slug).exists():
        stated["publisher"] = publisher_of(publisher, model.hf_id.split("/")[0])
    row, created = LanguageModel.objects.update_or_create(slug=slug, defaults=stated)
    for quantity, value in figures.items():
        if value is not None:
            accept_figure(row, quantity, value, kind=FigureKind.DERIVED, reason=FIGURES[quantity])
    model_changed(row.pk)
    return row, created


def publisher_of(slug: str, name: str) -> Vendor:
    """The vendor of a repository's organisation, made when it is new."""
    known = Vendor.objects.filter(slug=slug).first() or Vendor.objects.filter(name=name).first()
    return known or Vendor.objects.create(slug=slug, name=name, publishes_models=True)
