"""Prices: offers of hardware, dated quotes for them, purchase prices and hosted token prices."""

from django.db import models

from catalog.models.accelerators import Accelerator
from catalog.models.constraints import not_negative, positive
from catalog.models.history import append_only, touch_accelerator, tracked, tracked_in_short
from catalog.models.slugs import CatalogueSlugField
from catalog.models.sources import Source


@tracked
class Provider(models.Model):
    """A cloud, marketplace or API host."""

    slug = CatalogueSlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    website = models.URLField(blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


@tracked
class Offer(models.Model):
    """A distinct shape of hardware (chip, count, link) that gets one estimate, whatever its product names."""

    slug = CatalogueSlugField(max_length=160, unique=True)
    accelerator = models.ForeignKey(Accelerator, models.CASCADE, related_name="offers")
    count = models.PositiveIntegerField()
    scale_up_gbs = models.FloatField(null=True, blank=True)
    scale_up_domain = models.PositiveIntegerField(null=True, blank=True)
    scale_out_gbs = models.FloatField(null=True, blank=True)
    retired = models.BooleanField(
        default=False, help_text="no system, quote or card stands behind it any more"
    )

    class Meta:
        ordering = ["accelerator", "count"]
        constraints = [
            models.UniqueConstraint(
                fields=["accelerator", "count", "scale_up_gbs", "scale_up_domain"],
                nulls_distinct=False,
                name="catalog_offer_natural_key",
            ),
            *positive("count", "scale_up_gbs", "scale_up_domain"),
            *not_negative("scale_out_gbs"),
        ]
        triggers = touch_accelerator()

    def __str__(self) -> str:
        return self.slug


class PricingModel(models.TextChoices):
    ON_DEMAND = "on_demand", "on demand"
    SPOT = "spot", "spot"
    RESERVED = "reserved", "reserved"


class QuoteKind(models.TextChoices):
    LIST = "list", "list price"
    OFFER = "offer", "marketplace offer"
    INDEX = "index", "index or aggregate"


@tracked_in_short("id", "key", "accelerator")
class PriceQuote(models.Model):
    """What a provider asked for an hour, when seen. Append-only: a new price is a new row."""

    key = models.CharField(max_length=64, unique=True, help_text="digest of the natural key")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="quotes")
    offering = models.CharField(max_length=200)
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="quotes")
    accelerator_count = models.DecimalField(max_digits=9, decimal_places=3)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    price_per_hour = models.DecimalField(max_digits=14, decimal_places=6, help_text="of the whole offering")
    currency = models.CharField(max_length=3, default="USD")
    pricing_model = models.CharField(max_length=12, choices=PricingModel)
    term = models.CharField(max_length=20, blank=True, help_text="commitment, when reserved")
    kind = models.CharField(max_length=8, choices=QuoteKind, default=QuoteKind.LIST)
    observed_on = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="quotes")
    suspect = models.CharField(max_length=200, blank=True, help_text="why the quote is not used")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-observed_on", "pk"]
        constraints = positive("accelerator_count", "price_per_hour")
        indexes = [
            models.Index(fields=["accelerator", "accelerator_count", "pricing_model"]),
            models.Index(fields=["provider", "offering", "region", "-observed_on"]),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.offering} {self.price_per_hour} {self.currency}/h"


@tracked_in_short("id", "key", "accelerator")
class PurchasePrice(models.Model):
    """What a part or machine costs to buy. Append-only."""

    key = models.CharField(max_length=64, unique=True)
    hardware_name = models.CharField(max_length=200, help_text="as printed")
    accelerator = models.ForeignKey(
        Accelerator, models.PROTECT, related_name="purchase_prices", null=True, blank=True
    )
    price = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3, default="USD")
    basis = models.CharField(max_length=200, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="purchase_prices")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["hardware_name", "pk"]
        constraints = positive("price")
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.hardware_name} {self.price} {self.currency}"


@tracked_in_short("id", "key", "language_model")
class TokenPrice(models.Model):
    """What a hosted endpoint asks per million tokens, when seen. Append-only."""

    key = models.CharField(max_length=64, unique=True)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="token_prices")
    model_name = models.CharField(max_length=200, help_text="as the provider prints it")
    language_model = models.ForeignKey(
        "catalog.LanguageModel", models.PROTECT, related_name="token_prices", null=True, blank=True
    )
    open_weight = models.BooleanField(null=True)
    input_usd_per_mtok = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    output_usd_per_mtok = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    cached_input_usd_per_mtok = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD")
    observed_on = models.CharField(max_length=10, help_text="ISO date, as exact as known")
    effective_from = models.DateField(null=True, blank=True)
    suspect = models.CharField(max_length=200, blank=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="token_prices")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["provider", "model_name", "pk"]
        constraints = not_negative("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.model_name}"
