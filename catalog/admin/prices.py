"""Admin of prices: providers are edited; quotes are append-only, so a new price is a new row."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter, RangeNumericFilter
from unfold.decorators import display

from catalog.admin.base import FactAdmin, ReadOnlyAdmin
from catalog.models import Offer, PriceQuote, Provider, PurchasePrice, TokenPrice


@admin.register(Provider)
class ProviderAdmin(FactAdmin):
    list_display = ("name", "slug", "website")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    list_display = (
        "slug",
        "accelerator",
        "count",
        "scale_up_gbs",
        "scale_up_domain",
        "scale_out_gbs",
        "retired",
    )
    list_filter = (
        "retired",
        ("count", RangeNumericFilter),
        ("accelerator__vendor", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("slug", "accelerator__name", "systems__name")
    list_select_related = ("accelerator",)


@admin.register(PriceQuote)
class PriceQuoteAdmin(ReadOnlyAdmin):
    list_display = (
        "provider",
        "offering",
        "accelerator",
        "accelerator_count",
        "region",
        "price_label",
        "pricing_model",
        "kind",
        "observed_on",
        "suspect",
    )
    list_filter = (
        "pricing_model",
        "kind",
        ("provider", admin.RelatedOnlyFieldListFilter),
        "country",
        ("observed_on", RangeDateFilter),
    )
    search_fields = ("offering", "provider__name", "accelerator__name", "accelerator__slug", "region")
    list_select_related = ("provider", "accelerator")
    date_hierarchy = "observed_on"
    show_full_result_count = False

    @display(description="price an hour", ordering="price_per_hour")
    def price_label(self, quote: PriceQuote) -> str:
        return f"{quote.price_per_hour.normalize():f} {quote.currency}"


@admin.register(PurchasePrice)
class PurchasePriceAdmin(ReadOnlyAdmin):
    list_display = ("hardware_name", "accelerator", "price", "currency", "basis", "year")
    list_filter = ("year",)
    search_fields = ("hardware_name", "accelerator__name")
    list_select_related = ("accelerator",)


@admin.register(TokenPrice)
class TokenPriceAdmin(ReadOnlyAdmin):
    list_display = (
        "provider",
        "model_name",
        "language_model",
        "input_usd_per_mtok",
        "output_usd_per_mtok",
        "currency",
        "observed_on",
        "suspect",
    )
    list_filter = ("open_weight", "suspect", ("provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("model_name", "provider__name", "language_model__name")
    list_select_related = ("provider", "language_model")
    show_full_result_count = False

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("provider", "model_name", "pk")
