"""The stored answer of a claim: what it was made from, and what the service says."""

from django.db import models

from catalog.models import PublishedClaim


class ClaimVerdict(models.TextChoices):
    AGREES = "agrees", "agrees"
    DISAGREES = "disagrees", "disagrees"
    ANSWERED = "answered", "answered"
    CANNOT_BE_EVALUATED = "cannot_be_evaluated", "cannot be evaluated"


class ClaimAnswer(models.Model):
    """One claim answered. Stale when `input_digest` is no longer that of the facts, claim and method.

    Numbers are in the claim's unit; `details` holds the conditions, assumptions and every row.
    """

    claim = models.OneToOneField(PublishedClaim, models.CASCADE, related_name="answer", primary_key=True)
    verdict = models.CharField(max_length=20, choices=ClaimVerdict)
    value = models.FloatField(null=True)
    value_from = models.FloatField(null=True)
    value_to = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    grade = models.CharField(max_length=1, blank=True)
    off_by = models.FloatField(null=True)
    details = models.JSONField(default=dict)
    input_digest = models.CharField(max_length=64)
    stale = models.BooleanField(default=False)
    answered_at = models.DateTimeField()

    class Meta:
        app_label = "estimates"
        ordering = ["claim"]

    def __str__(self) -> str:
        return f"claim {self.claim_id}: {self.verdict}"
