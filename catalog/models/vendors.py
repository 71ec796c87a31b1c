"""Vendors: who makes hardware or publishes models."""

from django.db import models

from catalog.models.history import bump_version, keep_version, touch_accelerators_of_vendor, tracked
from catalog.models.slugs import CatalogueSlugField


@tracked
class Vendor(models.Model):
    """A maker of accelerators or systems, or a publisher of language models."""

    slug = CatalogueSlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200, unique=True)
    website = models.URLField(blank=True)
    makes_hardware = models.BooleanField(default=False)
    publishes_models = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        ordering = ["slug"]
        triggers = [bump_version(), keep_version(), touch_accelerators_of_vendor()]

    def __str__(self) -> str:
        return self.name
