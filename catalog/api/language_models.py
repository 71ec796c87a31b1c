"""Language models, with the counts computed from their architecture."""

from typing import Any

from catalog.api.figures import FIGURES_MEANING, figures_section
from catalog.api.references import VENDOR
from catalog.models import LanguageModel, ModelAlias
from catalog.models.language_models import Role
from catalog.models.sources import Confidence, FigureKind
from config.rest.columns import Resource, choice, integer, nested, slug, text, time


def _aliases(pk: int) -> list[dict[str, Any]]:
    names = ("name", "same_architecture_only")
    return list(ModelAlias.objects.filter(language_model=pk).order_by("name").values(*names))


MODELS = Resource(
    name="models",
    noun="model",
    meaning="A checkpoint: its architecture as data, and the parameter counts and KV terms computed from it.",
    rows=LanguageModel.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="llama-3.1-70b-instruct"),
        text("hf_id", "repository", nullable=False, example="meta-llama/Llama-3.1-70B-Instruct"),
        text("name", nullable=False, example="Llama-3.1-70B-Instruct"),
        slug("publisher", source="publisher__slug", reference=VENDOR, nullable=True, example="meta"),
        text("family", example="llama"),
        choice("role", Role),
        text("licence"),
        text("release_date", "ISO date, as exact as known", example="2024-07-23"),
        text("attention_kind", example="gqa"),
        text("native_format", "number format of the checkpoint", example="bf16"),
        integer("max_context", "tokens", nullable=True, example=131072),
        integer("parameters_total", "computed", example=70553706496),
        integer("parameters_active", "per token, computed", example=70553706496),
        integer("parameters_active_without_embedding", example=69503033344),
        integer("parameters_mtp", "next-token-prediction layers", example=0),
        integer("published_parameters", nullable=True, example=70553706496),
        integer("published_active_parameters", nullable=True),
        integer("kv_growing_elements", "KV cache per token of context, all layers", example=163840),
        integer("kv_window_elements", "bound by the windows, at full window", example=0),
        integer("kv_fixed_bytes", "fixed state per sequence", example=0),
        integer("indexer_elements", "sparse-attention index, per token", example=0),
        choice("kind", FigureKind, "assumed where the architecture is not published"),
        choice("confidence", Confidence),
        nested("architecture", "the validated description", listed=False, example={}),
        nested("quantisation", "stored format per tensor group", listed=False, example={}),
        text("notes", listed=False),
        integer("version", "raised by every change", example=1),
        time("changed_at"),
    ),
    sections={"aliases": _aliases, "figures": figures_section("language_model")},
    section_meanings={"aliases": "names as sources print them", "figures": FIGURES_MEANING},
    example_query="role=decoder&parameters_total__lte=9000000000&name__ic=instruct&limit=5",
)
