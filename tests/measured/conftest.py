"""Fixtures of the tests of measured runs: the tiny catalogue of the estimates."""

import pytest

from tests.estimates.conftest import TinyCatalogue, build


@pytest.fixture
def tiny(db: None) -> TinyCatalogue:
    """The catalogue, in the database of the test."""
    return build()
