"""Access tokens as the database keeps them: a keyed hash, never the token."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Scope(models.TextChoices):
    """What a token may do. Every token may read; `admin` may do everything."""

    READ = "read", "read"
    WRITE_FACTS = "write_facts", "write facts"
    WRITE_PRICES = "write_prices", "write prices"
    RUN_JOBS = "run_jobs", "run jobs"
    ADMIN = "admin", "everything"


class AccessToken(models.Model):
    """A token of one person or service, found by its prefix and proven by its hash."""

    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="HMAC-SHA-256 under the secret key")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, blank=True, help_text="what it is for")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="to the minute")

    class Meta:
        ordering = ["owner", "prefix"]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}".strip()

    def allows(self, scope: str) -> bool:
        """Whether the token may do what the scope stands for."""
        return scope == Scope.READ or scope in self.scopes or Scope.ADMIN in self.scopes


class IdempotentAnswer(models.Model):
    """What a write under an `Idempotency-Key` answered: the same write sent again answers the same."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="idempotent_answers")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=500, blank=True)
    body = models.TextField(help_text="JSON, byte for byte")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="access_idempotent_answer_key")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.key}: {self.status}"
