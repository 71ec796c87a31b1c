"""All kinds of fact that `load_catalog` knows (`after` decides their order), and what follows a load."""

from collections.abc import Callable

from catalog.importing.kinds import Kind, Load


def all_kinds() -> list[Kind]:
    """Every kind. Imported here, so that a kind's module may import models."""
    from catalog.importing import hardware, reference

    return [reference.VENDORS, reference.SOURCES, hardware.ACCELERATORS, hardware.SYSTEMS]


def after_load() -> list[Callable[[Load], None]]:
    """Steps inside the load's transaction once all rows are written: what is derived from several kinds."""
    return []
