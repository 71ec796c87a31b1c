"""The facts: vendors, hardware, language models, prices, workloads, measurements, claims, sources."""

from catalog.models.accelerators import Accelerator, Link, MemoryTier, PeakRate
from catalog.models.claims import FurtherSource, PublishedClaim
from catalog.models.language_models import LanguageModel, ModelAlias
from catalog.models.loads import LoadedRow
from catalog.models.marks import FactMark
from catalog.models.measurements import MeasuredValue, MeasurementRun
from catalog.models.prices import Offer, PriceQuote, Provider, PurchasePrice, TokenPrice
from catalog.models.sources import Figure, Source
from catalog.models.systems import System
from catalog.models.vendors import Vendor
from catalog.models.workloads import Workload

__all__ = [
    "Accelerator",
    "FactMark",
    "Figure",
    "FurtherSource",
    "LanguageModel",
    "Link",
    "LoadedRow",
    "MeasuredValue",
    "MeasurementRun",
    "MemoryTier",
    "ModelAlias",
    "Offer",
    "PeakRate",
    "PriceQuote",
    "Provider",
    "PublishedClaim",
    "PurchasePrice",
    "Source",
    "System",
    "TokenPrice",
    "Vendor",
    "Workload",
]
