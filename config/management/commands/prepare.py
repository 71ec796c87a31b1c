"""`manage.py prepare`: private servers, migrations, the catalogue and a login."""

import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from config import embedded
from config.catalogue_stamp import catalogue_is_loaded, note_catalogue


class Command(BaseCommand):
    help = "Start the private servers, migrate, and load the catalogue where its files have changed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--login", action="store_true", help="make the administrator where there is none")

    def handle(self, *args: Any, login: bool, **options: Any) -> None:
        if settings.DATABASE_IS_PRIVATE:
            embedded.ensure_postgres()
        if settings.BROKER_IS_PRIVATE:
            embedded.ensure_valkey()
        started = time.monotonic()
        call_command("migrate", verbosity=0, interactive=False)
        self.stdout.write(
            f"database {connection.settings_dict['NAME']} migrated ({time.monotonic() - started:.1f} s)"
        )
        if "load_catalog" in get_commands() and not catalogue_is_loaded():
            started = time.monotonic()
            call_command("load_catalog", stdout=self.stdout, stderr=self.stderr)
            note_catalogue()
            self.stdout.write(f"catalogue loaded ({time.monotonic() - started:.1f} s)")
        if login:
            path = embedded.local_dir() / "login"
            path.touch(mode=0o600)
            path.write_text(ensure_login())


def ensure_login() -> str:
    """Make the administrator where there is none; a line that tells a person how to log in.

    The password is `admin` on a development machine and random elsewhere, shown this once.
    """
    users = get_user_model().objects
    administrator = users.filter(is_superuser=True).order_by("pk").first()
    if administrator is None:
        password = "admin" if settings.DEVELOPMENT else secrets.token_urlsafe(18)
        administrator = users.create_superuser("admin", password=password)
        return f"login: admin / {password}"
    if settings.DEVELOPMENT and administrator.check_password("admin"):
        return f"login: {administrator.get_username()} / admin"
    return f"login: {administrator.get_username()}, with the password it was given"
