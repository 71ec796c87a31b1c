"""Vendors and providers: who makes, and who lets."""

from catalog.models import Provider, Vendor
from config.rest.columns import Resource, boolean, integer, slug, text, time

VENDORS = Resource(
    name="vendors",
    noun="vendor",
    meaning="A maker of hardware or a publisher of language models.",
    rows=Vendor.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nvidia"),
        text("name", nullable=False, example="NVIDIA"),
        text("website", example="https://www.nvidia.com"),
        boolean("makes_hardware"),
        boolean("publishes_models"),
        integer("version", "raised by every change", example=1),
        time("changed_at"),
    ),
    example_query="makes_hardware=true",
)

PROVIDERS = Resource(
    name="providers",
    noun="provider",
    meaning="A cloud, marketplace or host of endpoints.",
    rows=Provider.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="aws"),
        text("name", nullable=False, example="Amazon Web Services"),
        text("website"),
    ),
    example_query="name__ic=cloud",
)
