"""Access tokens: printed once, kept as a keyed hash, refused when expired or of an inactive owner."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.access.models import AccessToken, Scope
from config.access.tokens import create_token, find_token

pytestmark = pytest.mark.django_db


def test_the_command_prints_a_token_that_works_and_stores_no_part_of_its_secret(editor: User) -> None:
    out = io.StringIO()
    call_command("create_token", "editor", "--scope", "write_facts", "--expires-days", "30", stdout=out)
    token = out.getvalue().strip()
    row = find_token(token)
    assert row is not None
    assert (row.owner, row.scopes) == (editor, ["write_facts"])
    assert token.split("_")[2] not in row.digest
    assert row.expires_at is not None
    assert 29 <= (row.expires_at - timezone.now()).days <= 30


@pytest.mark.parametrize(
    "arguments", [["nobody", "--scope", "read"], ["editor", "--scope", "read", "--expires-days", "0"]]
)
def test_the_command_refuses_clearly(arguments: list[str], editor: User) -> None:
    with pytest.raises(CommandError, match=r"nobody|out of range"):
        call_command("create_token", *arguments)


def test_another_secret_key_makes_every_token_worthless(editor: User, settings: Any) -> None:
    token, _ = create_token(editor, ["read"])
    settings.SECRET_KEY = "another"
    assert find_token(token) is None


def test_an_expired_token_is_refused(editor: User) -> None:
    token, _ = create_token(editor, ["read"], expires_at=timezone.now() - timedelta(seconds=1))
    assert find_token(token) is None


def test_a_token_of_an_inactive_owner_is_refused(editor: User) -> None:
    token, _ = create_token(editor, ["read"])
    User.objects.update(is_active=False)
    assert find_token(token) is None


def test_one_changed_letter_is_another_token(editor: User) -> None:
    token, _ = create_token(editor, ["read"])
    assert find_token(token[:-1] + ("a" if token[-1] != "a" else "b")) is None


def test_the_last_use_is_noted(editor: User) -> None:
    token, row = create_token(editor, ["read"])
    assert row.last_used_at is None
    find_token(token)
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_scopes_allow_what_they_name_and_admin_everything() -> None:
    writer, admin = AccessToken(scopes=["write_facts"]), AccessToken(scopes=["admin"])
    assert [writer.allows(scope) for scope in Scope] == [True, True, False, False, False]
    assert all(admin.allows(scope) for scope in Scope)
