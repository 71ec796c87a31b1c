"""All kinds of fact that `load_catalog` knows (`after` decides their order), and what follows a load."""

from collections.abc import Callable

from catalog.importing import (
    claims,
    hardware,
    language_models,
    measurements,
    prices,
    providers,
    reference,
    token_prices,
    workloads,
)
from catalog.importing.kinds import Kind, Load
from catalog.offers import refresh_offers

_MODULES = (
    reference,
    hardware,
    language_models,
    providers,
    prices,
    token_prices,
    workloads,
    measurements,
    claims,
)


def all_kinds() -> list[Kind]:
    """Every kind of fact that has data files."""
    return [kind for module in _MODULES for kind in module.KINDS]


def after_load() -> list[Callable[[Load], None]]:
    """Steps inside the load's transaction once all rows are written: what is derived from several kinds."""
    return [_refresh_offers]


def _refresh_offers(load: Load) -> None:
    load.note(str(refresh_offers()))
