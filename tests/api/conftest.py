"""Fixtures of the API's tests: the small catalogue, tokens, a whole budget of requests for each test."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from config.access.tokens import create_token
from tests.api.small_catalogue import Catalogue, build


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    """Each test has its whole budget of requests."""
    cache.clear()


@pytest.fixture(autouse=True)
def open_reading(settings: Any) -> None:
    settings.ATLAS_ANONYMOUS_READ = True


@pytest.fixture
def editor(db: None) -> User:
    return User.objects.create_user("editor")


@pytest.fixture
def write_token(editor: User) -> str:
    return create_token(editor, ["write_facts"])[0]


@pytest.fixture
def read_token(editor: User) -> str:
    return create_token(editor, ["read"])[0]


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    return build()
