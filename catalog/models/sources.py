"""Sources and figures: where each value comes from, its rivals, and which one is accepted."""

from django.db import models
from django.db.models import Q

from catalog.models.history import touch_accelerator_by_figures, tracked
from catalog.models.slugs import CatalogueSlugField


class FigureKind(models.TextChoices):
    """How a value came to be known."""

    VENDOR_CLAIM = "vendor_claim", "vendor claim"
    MEASURED = "measured", "measured"
    THIRD_PARTY = "third_party", "third party"
    DERIVED = "derived", "derived"
    ASSUMED = "assumed", "assumed"


class FigureOrigin(models.TextChoices):
    """Who put the figure in: a load of the data files may replace its own figures, never an editor's."""

    FILE = "file", "data files"
    EDITOR = "editor", "editor"


class Confidence(models.TextChoices):
    HIGH = "high", "high"
    MEDIUM = "medium", "medium"
    LOW = "low", "low"


@tracked
class Source(models.Model):
    """A document, table or page that a figure was read from."""

    slug = CatalogueSlugField(max_length=200, unique=True)
    title = models.CharField(max_length=500)
    url = models.CharField(max_length=1000, blank=True, help_text="web address or repository@commit:path")
    publisher = models.CharField(max_length=200, blank=True)
    published_on = models.CharField(max_length=10, blank=True, help_text="ISO date, as exact as printed")
    read_on = models.DateField(null=True, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    restricted = models.BooleanField(default=False, help_text="terms bar shipping the source as data")
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title


@tracked
class Figure(models.Model):
    """One value of one quantity of one subject, as one source has it. At most one per quantity is accepted.

    `quantity` is the column it belongs to (`memory_bandwidth_gbs`), or `peak_rate:<format>`,
    `memory_tier:<name>:<column>`, `link:<scope>:<column>` for child rows. The accepted figure's value stands
    in that column; the others are kept as rivals.
    """

    accelerator = models.ForeignKey(
        "catalog.Accelerator", models.CASCADE, related_name="figures", null=True, blank=True
    )
    system = models.ForeignKey(
        "catalog.System", models.CASCADE, related_name="figures", null=True, blank=True
    )
    language_model = models.ForeignKey(
        "catalog.LanguageModel", models.CASCADE, related_name="figures", null=True, blank=True
    )
    workload = models.ForeignKey(
        "catalog.Workload", models.CASCADE, related_name="figures", null=True, blank=True
    )
    quantity = models.CharField(max_length=100)
    value = models.FloatField(null=True, blank=True)
    text = models.CharField(max_length=500, blank=True, help_text="a value that is no number")
    unit = models.CharField(max_length=30, blank=True)
    as_printed = models.CharField(
        max_length=200, blank=True, help_text="value and unit as the source prints them"
    )
    sparsity = models.CharField(
        max_length=10, blank=True, choices=[("dense", "dense"), ("sparse", "sparse"), ("unknown", "unknown")]
    )
    kind = models.CharField(max_length=20, choices=FigureKind)
    confidence = models.CharField(max_length=10, choices=Confidence, default=Confidence.MEDIUM)
    source = models.ForeignKey(Source, models.PROTECT, related_name="figures", null=True, blank=True)
    observed_on = models.CharField(max_length=10, blank=True, help_text="ISO date, as exact as known")
    accepted = models.BooleanField(default=False)
    origin = models.CharField(
        max_length=10, choices=FigureOrigin, default=FigureOrigin.EDITOR, editable=False
    )
    reason = models.TextField(blank=True, help_text="why accepted or not, or what was normalised")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["quantity", "-accepted", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(accelerator__isnull=False, system=None, language_model=None, workload=None)
                | Q(accelerator=None, system__isnull=False, language_model=None, workload=None)
                | Q(accelerator=None, system=None, language_model__isnull=False, workload=None)
                | Q(accelerator=None, system=None, language_model=None, workload__isnull=False),
                name="catalog_figure_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__gt=-float("inf"), value__lt=float("inf")),
                name="catalog_figure_value_finite",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False) | ~Q(text=""), name="catalog_figure_has_value"
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=False) | Q(kind__in=["assumed", "derived"]),
                name="catalog_figure_source_or_assumed",
                violation_error_message="a figure without a source can only be assumed or derived",
            ),
            *[
                models.UniqueConstraint(
                    fields=[subject, "quantity"],
                    condition=Q(accepted=True),
                    name=f"catalog_figure_one_accepted_{subject}",
                )
                for subject in ("accelerator", "system", "language_model", "workload")
            ],
        ]
        indexes = [
            models.Index(fields=["accelerator", "quantity"]),
            models.Index(fields=["system", "quantity"]),
        ]
        triggers = touch_accelerator_by_figures()

    def __str__(self) -> str:
        return f"{self.quantity} = {self.text or self.value} {self.unit}".strip()
