"""A language model's data file: its schema, its faults with their lines, and the columns that follow.

One YAML file a model under `catalog/data/models/`, named by its slug. It holds what was read or assumed and
each published figure with its source; parameter counts and KV terms are computed from the architecture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from catalog.importing.errors import Problems
from catalog.importing.files import DataFile, Located, read_yaml, validated
from estimates.core.architecture import TENSOR_GROUPS, Architecture, TensorGroup
from estimates.core.architecture_json import ArchitectureError, architecture_from_json, architecture_to_json
from estimates.core.attention_kind import attention_kind
from estimates.core.formats import FORMATS
from estimates.core.kv_cache import kv_terms
from estimates.core.parameters import count_parameters

MODELS_FOLDER = Path(__file__).resolve().parent.parent / "data" / "models"
SLUG = r"^[a-z0-9][a-z0-9._-]*$"

FigureKind = Literal["vendor_claim", "measured", "third_party", "derived", "assumed"]
Confidence = Literal["high", "medium", "low"]
Fidelity = Literal[
    "verbatim", "copy", "trimmed", "fixture", "transcribed", "converted", "reconstructed", "assumed"
]


def _known_format(slug: str) -> str:
    if slug not in FORMATS:
        raise ValueError(f"one of the number formats {', '.join(FORMATS)}")
    return slug


FormatSlug = Annotated[str, AfterValidator(_known_format)]


class Strict(BaseModel):
    """No unknown keys, no coercion of one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PublishedCount(Strict):
    """A published parameter count: value as a number of parameters, and where it was read."""

    value: int = Field(gt=0, le=10**14)
    source: str | None = Field(default=None, pattern=SLUG)
    as_printed: str = ""
    kind: FigureKind = "vendor_claim"
    confidence: Confidence = "medium"
    reason: str = ""

    @model_validator(mode="after")
    def sourced(self) -> PublishedCount:
        if self.source is None and self.kind not in ("assumed", "derived"):
            raise ValueError("a source, or kind assumed or derived")
        return self


class Published(Strict):
    """What the publisher or a registry says: all parameters of the checkpoint, and those active per token."""

    total: PublishedCount | None = None
    active: PublishedCount | None = None


class Origin(Strict):
    """Where the architecture was read: source, path within it, and how faithful that copy is."""

    source: str | None = Field(default=None, pattern=SLUG)
    path: str = ""
    fidelity: Fidelity


class StoredGroup(Strict):
    """How the weights of one tensor group are stored: format, and bits a weight with scales and mixtures."""

    format: FormatSlug
    bits: float = Field(gt=0, le=64, strict=False)


class ModelFile(Strict):
    """One language model."""

    slug: str = Field(pattern=SLUG, max_length=160)
    name: str = Field(min_length=1, max_length=200)
    hf_id: str = Field(pattern=r"^[^/\s]+/[^/\s]+$", max_length=200)
    publisher: str = Field(pattern=SLUG)
    family: str = Field(min_length=1, max_length=100)
    licence: str = ""
    release_date: str = Field(default="", pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")
    kind: FigureKind = "vendor_claim"
    confidence: Confidence = "high"
    config: Origin
    published: Published = Published()
    dtype: str = ""
    native_format: FormatSlug
    kv_format: FormatSlug | None = None
    quantisation: dict[str, StoredGroup] = Field(min_length=1)
    architecture: dict[str, Any]
    notes: list[str] = []

    @field_validator("quantisation")
    @classmethod
    def known_groups(cls, value: dict[str, StoredGroup]) -> dict[str, StoredGroup]:
        unknown = sorted(set(value) - set(TENSOR_GROUPS))
        if unknown:
            raise ValueError(f"the tensor groups {', '.join(TENSOR_GROUPS)}; not {', '.join(unknown)}")
        return value

    def described(self) -> Architecture:
        """The architecture as the core's value. Raises ArchitectureError."""
        return architecture_from_json(self.architecture)


def read_model_file(file: DataFile, problems: Problems) -> ModelFile | None:
    """One model from one file, or None after noting every fault with its line."""
    tree = read_yaml(file, problems)
    if tree is None:
        return None
    model = validated(ModelFile, tree, file, problems)
    if model is None:
        return None
    if file.path.stem != model.slug:
        problems.add(file.place(tree.line("slug")), "slug", model.slug, f"the file's name, {file.path.stem}")
    try:
        architecture = model.described()
    except ArchitectureError as error:
        problems.add(file.place(line_of(tree, error.path)), error.path, error.value, error.accepted)
        return None
    check_quantisation(model, architecture, tree, file, problems)
    return model


def check_quantisation(
    model: ModelFile, architecture: Architecture, tree: Located, file: DataFile, problems: Problems
) -> None:
    """Each tensor group that has parameters needs its stored format."""
    counted = count_parameters(architecture)
    for group, parameters in counted.by_group.items():
        if parameters and group not in model.quantisation:
            problems.add(
                file.place(tree.line("quantisation")),
                f"quantisation.{group}",
                "",
                "a format: the group has weights",
            )


def line_of(tree: Located, path: str) -> int:
    """Line of a dotted path such as architecture.layers[0].mixers[1].head_dim."""
    steps: list[Any] = []
    for part in path.replace("]", "").replace("[", ".").split("."):
        steps.append(int(part) if part.isdigit() else part)
    return tree.line(*steps)


def model_columns(model: ModelFile) -> dict[str, Any]:
    """Values of a LanguageModel row, computed counts and KV terms included; `publisher` stays a slug."""
    architecture = model.described()
    counted = count_parameters(architecture)
    terms = kv_terms(architecture)
    total, active = model.published.total, model.published.active
    return {
        "slug": model.slug,
        "hf_id": model.hf_id,
        "name": model.name,
        "publisher": model.publisher,
        "family": model.family,
        "role": architecture.role,
        "licence": model.licence,
        "release_date": model.release_date,
        "attention_kind": attention_kind(architecture),
        "native_format": model.native_format,
        "max_context": architecture.max_context,
        "architecture": architecture_to_json(architecture),
        "quantisation": {
            **{group: stored.model_dump() for group, stored in model.quantisation.items()},
            **({"kv_format": model.kv_format} if model.kv_format else {}),
        },
        "kind": model.kind,
        "confidence": model.confidence,
        "parameters_total": counted.total,
        "parameters_active": counted.active,
        "parameters_active_without_embedding": counted.active_excluding_input_embedding,
        "parameters_mtp": counted.mtp,
        "published_parameters": total.value if total else None,
        "published_active_parameters": active.value if active else None,
        "kv_growing_elements": round(terms.growing_elements_per_token),
        "kv_window_elements": round(sum(term.window * term.elements_per_token for term in terms.windows)),
        "kv_fixed_bytes": round(terms.fixed_state_bytes()),
        "indexer_elements": round(terms.indexer_elements_per_token),
        "notes": "\n".join(model.notes),
    }


class _Dumper(yaml.SafeDumper):
    """Block style, keys in given order, small scalar mappings on one line, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _mapping(dumper: _Dumper, data: dict[str, Any]) -> yaml.Node:
    flat = all(not isinstance(item, (dict, list)) for item in data.values())
    short = len(data) <= 3 and sum(len(f"{key}{item}") for key, item in data.items()) < 60
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=flat and short)


_Dumper.add_representer(dict, _mapping)


def model_file_text(model: ModelFile) -> str:
    """The file of a model: keys in schema order, defaults left out, so that a change is a small diff."""
    data = model.model_dump(exclude_defaults=True)
    ordered = {name: data[name] for name in ModelFile.model_fields if name in data}
    used = {group for group, count in count_parameters(model.described()).by_group.items() if count}
    groups: dict[TensorGroup, Any] = {
        group: data["quantisation"][group]
        for group in TENSOR_GROUPS
        if group in data["quantisation"] and group in used
    }
    ordered["quantisation"] = groups
    ordered["architecture"] = architecture_to_json(model.described())
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
