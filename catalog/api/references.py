"""What slugs in parameters point to; language models are found by repository and printed names too."""

from catalog.models import (
    Accelerator,
    LanguageModel,
    Offer,
    Provider,
    Source,
    System,
    Vendor,
    Workload,
)
from catalog.names import model_slugs
from config.rest.columns import Reference

VENDOR = Reference("vendor", Vendor)
ACCELERATOR = Reference("accelerator", Accelerator)
SYSTEM = Reference("system", System)
MODEL = Reference("model", LanguageModel, also=model_slugs)
WORKLOAD = Reference("workload", Workload)
PROVIDER = Reference("provider", Provider)
SOURCE = Reference("source", Source)
OFFER = Reference("offer", Offer)
