"""`manage.py create_token USER --scope write_facts`: make an access token and print it, this once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.access.models import Scope
from config.access.tokens import create_token


class Command(BaseCommand):
    help = "Make an access token for a user and print it; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="name of the user who owns the token")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, required=True, help="may be given several times"
        )
        parser.add_argument("--expires-days", type=int, help="days until it expires; never without")
        parser.add_argument("--name", default="", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["user"]).first()
        if owner is None:
            raise CommandError(f"there is no user {options['user']!r}; `manage.py createsuperuser` makes one")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError(f"--expires-days {days} is out of range: 1 to 3650")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        token, _ = create_token(owner, options["scope"], expires_at, options["name"])
        self.stdout.write(token)
