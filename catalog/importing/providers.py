"""Reads `providers.yaml`: clouds, marketplaces and API hosts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.figure_rows import Slug
from catalog.importing.kinds import Counts, Kind, Load, Record
from catalog.importing.reference import entries_of
from catalog.importing.rows import sync_rows
from catalog.models import Provider


class ProviderEntry(BaseModel):
    """One provider."""

    model_config = ConfigDict(extra="forbid")

    slug: Annotated[Slug, Field(max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    website: Annotated[str, Field(pattern=r"^(https?://.+)?$", max_length=200)] = ""


def write(records: list[Record], load: Load) -> Counts:
    rows = {record.key: {"name": record.value.name, "website": record.value.website} for record in records}
    return sync_rows(load, "providers", Provider, rows)


KINDS = [Kind("providers", ("providers.yaml",), entries_of(ProviderEntry), write)]
