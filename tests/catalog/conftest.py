"""Fixtures of the catalogue's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from catalog.importing.load import Report, load_files
from tests.catalog.small_catalogue import SmallCatalogue


@pytest.fixture
def small(tmp_path: Path) -> SmallCatalogue:
    """Data files of one accelerator and one system."""
    return SmallCatalogue(tmp_path / "data")


@pytest.fixture(scope="module")
def hardware(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Report]:
    """The shipped vendors, sources, accelerators and systems, loaded once for a module and rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load_files(only=["systems"])
        transaction.set_rollback(True)
