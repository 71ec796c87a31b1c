"""Addresses of the facts."""

from django.urls import URLPattern, path

from catalog.api.changes import CHANGES, ChangeListView
from catalog.api.editing import AcceleratorDetail, SystemDetail
from catalog.api.figures import FIGURES
from catalog.api.hardware import ACCELERATORS, OFFERS, SYSTEMS
from catalog.api.language_models import MODELS
from catalog.api.measurements import MEASUREMENTS
from catalog.api.prices import PRICE_QUOTES, PURCHASE_PRICES, TOKEN_PRICES
from catalog.api.sources import SOURCES
from catalog.api.vendors import PROVIDERS, VENDORS
from catalog.api.workloads import WORKLOADS
from config.rest.schema import described_list
from config.rest.views import routes

RESOURCES = (
    VENDORS,
    ACCELERATORS,
    SYSTEMS,
    OFFERS,
    MODELS,
    WORKLOADS,
    PROVIDERS,
    PRICE_QUOTES,
    TOKEN_PRICES,
    PURCHASE_PRICES,
    MEASUREMENTS,
    SOURCES,
    FIGURES,
)

SINGLE = {ACCELERATORS.name: AcceleratorDetail, SYSTEMS.name: SystemDetail}

SINGLE = {ACCELERATORS.name: AcceleratorDetail, SYSTEMS.name: SystemDetail}

urlpatterns: list[URLPattern] = [
    *(route for resource in RESOURCES for route in routes(resource, SINGLE.get(resource.name))),
    path("changes", described_list(ChangeListView, CHANGES).as_view(), name="changes-list"),
]
