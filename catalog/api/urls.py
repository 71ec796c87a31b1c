"""Addresses of the facts."""

from django.urls import URLPattern, path

from catalog.api.changes import CHANGES, ChangeDetailView, ChangeListView, history_view
from catalog.api.editing import AcceleratorDetail, SystemDetail
from catalog.api.figures import FIGURES
from catalog.api.hardware import ACCELERATORS, OFFERS, SYSTEMS
from catalog.api.language_models import MODELS
from catalog.api.measurements import MEASUREMENTS
from catalog.api.prices import PRICE_QUOTES, PURCHASE_PRICES, TOKEN_PRICES
from catalog.api.quoting import PriceQuoteListView
from catalog.api.reverting import RevertView
from catalog.api.sources import SOURCES
from catalog.api.vendors import PROVIDERS, VENDORS
from catalog.api.workloads import WORKLOADS
from config.rest.columns import Resource
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

#: What has a slug and a history: resource -> noun.
HISTORIES = {
    resource.name: resource.noun
    for resource in (VENDORS, ACCELERATORS, SYSTEMS, OFFERS, MODELS, WORKLOADS, PROVIDERS, SOURCES)
} | {"claims": "claim"}

LISTS = {PRICE_QUOTES.name: PriceQuoteListView}


def addresses(resource: Resource) -> list[URLPattern]:
    """The routes of a resource, with its own view of the list where it has one that does more than read."""
    found = routes(resource, SINGLE.get(resource.name))
    if (listing := LISTS.get(resource.name)) is not None:
        found[0] = path(
            resource.name, described_list(listing, resource).as_view(), name=f"{resource.name}-list"
        )
    return found


urlpatterns: list[URLPattern] = [
    *(route for resource in RESOURCES for route in addresses(resource)),
    path("changes", described_list(ChangeListView, CHANGES).as_view(), name="changes-list"),
    path("changes/<key:key>", ChangeDetailView.as_view(), name="changes-detail"),
    path("changes/<key:key>/revert", RevertView.as_view(), name="changes-revert"),
    *(
        path(f"{of}/<key:key>/history", history_view(of, noun).as_view(), name=f"{of}-history")
        for of, noun in HISTORIES.items()
    ),
]
