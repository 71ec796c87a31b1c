"""Language models: architecture as structured data, with the counts computed from it."""

from django.db import models

from catalog.models.constraints import not_negative, positive
from catalog.models.history import bump_version_but_for_notes, keep_version, tracked
from catalog.models.slugs import CatalogueSlugField
from catalog.models.sources import Confidence, FigureKind
from catalog.models.vendors import Vendor


class Role(models.TextChoices):
    DECODER = "decoder", "generates text"
    ENCODER = "encoder", "encoder"
    ENCODER_DECODER = "encoder_decoder", "encoder-decoder"
    EMBEDDING = "embedding", "embedding"
    SPEECH = "speech", "speech"
    VISION = "vision", "vision"


@tracked
class LanguageModel(models.Model):
    """A checkpoint. `architecture` is the validated description; counts and KV terms are computed from it."""

    slug = CatalogueSlugField(max_length=160, unique=True)
    hf_id = models.CharField("repository", max_length=200, unique=True)
    name = models.CharField(max_length=200)
    publisher = models.ForeignKey(
        Vendor, models.PROTECT, related_name="language_models", null=True, blank=True
    )
    family = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=20, choices=Role)
    licence = models.CharField(max_length=100, blank=True)
    release_date = models.CharField(max_length=10, blank=True)
    attention_kind = models.CharField(max_length=60, blank=True)
    native_format = models.CharField(max_length=20, blank=True, help_text="number format of the checkpoint")
    max_context = models.PositiveIntegerField(null=True, blank=True)
    architecture = models.JSONField()
    quantisation = models.JSONField(default=dict, blank=True, help_text="stored format per tensor group")
    kind = models.CharField(
        max_length=20, choices=FigureKind, default=FigureKind.VENDOR_CLAIM, help_text="assumed: not published"
    )
    confidence = models.CharField(max_length=10, choices=Confidence, default=Confidence.HIGH)

    parameters_total = models.BigIntegerField(help_text="running model, computed")
    parameters_active = models.BigIntegerField(help_text="per token, computed")
    parameters_active_without_embedding = models.BigIntegerField()
    parameters_mtp = models.BigIntegerField(default=0, help_text="next-token-prediction layers")
    published_parameters = models.BigIntegerField(null=True, blank=True)
    published_active_parameters = models.BigIntegerField(null=True, blank=True)
    kv_growing_elements = models.BigIntegerField(help_text="per token of context, all layers")
    kv_window_elements = models.BigIntegerField(default=0, help_text="bound by the windows, at full window")
    kv_fixed_bytes = models.BigIntegerField(default=0, help_text="fixed state per sequence")
    indexer_elements = models.BigIntegerField(default=0, help_text="sparse-attention index, per token")
    notes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            *positive("parameters_total", "parameters_active", "max_context", "published_parameters"),
            *not_negative("parameters_mtp", "kv_growing_elements", "kv_window_elements", "kv_fixed_bytes"),
        ]
        triggers = [bump_version_but_for_notes(), keep_version()]

    def __str__(self) -> str:
        return self.name


@tracked
class ModelAlias(models.Model):
    """A name as some source prints it."""

    name = models.CharField(max_length=200, unique=True)
    language_model = models.ForeignKey(LanguageModel, models.CASCADE, related_name="aliases")
    same_architecture_only = models.BooleanField(
        default=False, help_text="another checkpoint of the same shape"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
