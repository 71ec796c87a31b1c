"""All kinds of fact that `load_catalog` knows, in no particular order: `after` decides it."""

from catalog.importing.kinds import Kind


def all_kinds() -> list[Kind]:
    """Every kind; imported here so that a kind's module may import models."""
    from catalog.importing import hardware

    return [*hardware.KINDS]
