"""Published claims: a statement, its number and conditions, and the hardware and model it speaks of."""

from django.db import models

from catalog.models.accelerators import Accelerator
from catalog.models.history import tracked
from catalog.models.language_models import LanguageModel
from catalog.models.slugs import CatalogueSlugField
from catalog.models.sources import Source
from catalog.models.systems import System


class Relation(models.TextChoices):
    EQUAL = "eq", "equals"
    AT_MOST = "le", "at most"
    AT_LEAST = "ge", "at least"
    ASK = "ask", "open question"


@tracked
class PublishedClaim(models.Model):
    """A published sentence with a number that the service can be held against."""

    slug = CatalogueSlugField(max_length=160, unique=True)
    subject = models.CharField(max_length=300)
    quantity = models.CharField(max_length=60)
    value = models.FloatField(null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    relation = models.CharField(max_length=4, choices=Relation)
    conditions = models.TextField(blank=True)
    kind = models.CharField(max_length=30)
    source = models.ForeignKey(Source, models.PROTECT, related_name="claims")
    further_sources = models.ManyToManyField(Source, related_name="further_claims", blank=True)
    source_date = models.CharField(max_length=10, blank=True)
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="claims", null=True, blank=True)
    system = models.ForeignKey(System, models.PROTECT, related_name="claims", null=True, blank=True)
    language_model = models.ForeignKey(
        LanguageModel, models.PROTECT, related_name="claims", null=True, blank=True
    )
    parameters = models.JSONField(
        default=dict, blank=True, help_text="count, lengths, formats the claim states"
    )
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(value=None) | models.Q(value__gt=-float("inf"), value__lt=float("inf")),
                name="catalog_publishedclaim_value_finite",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.quantity}"


@tracked
class FurtherSource(PublishedClaim.further_sources.through):  # type: ignore[name-defined,misc]
    """One more source of a claim: the rows of that relation, so that they have a history."""

    class Meta:
        proxy = True
        verbose_name_plural = "further sources"
