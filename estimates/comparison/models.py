"""Answers of earlier methods, kept when a recalculation by a newer one replaces them: two methods back."""

from django.db import models


class Float4(models.FloatField):
    """Single precision, as the estimates themselves have."""

    def db_type(self, connection: object) -> str:
        return "real"


class Method(models.Model):
    """A version of the method that estimates were made by, in the order in which they came."""

    id = models.SmallAutoField(primary_key=True)
    version = models.CharField(max_length=40, unique=True)
    first_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.version


class SupersededEstimate(models.Model):
    """The figures of an estimate by an earlier method. Written by the statement that replaces the estimate.

    As narrow as can be, for there is one for each estimate and method: keys are plain numbers of rows that
    may be gone, and what is left out can be calculated again from the facts of its versions.
    """

    pk = models.CompositePrimaryKey("language_model_id", "offer_id", "workload_id", "objective", "method_id")
    language_model_id = models.IntegerField()
    offer_id = models.IntegerField()
    workload_id = models.IntegerField()
    objective = models.SmallIntegerField()
    method_id = models.SmallIntegerField()
    state = models.SmallIntegerField()
    model_version = models.IntegerField()
    accelerator_version = models.IntegerField()
    calculated_at = models.DateTimeField(null=True)
    tpot_ms = Float4(null=True)
    ttft_ms = Float4(null=True)
    throughput_tok_s = Float4(null=True)

    def __str__(self) -> str:
        return f"{self.language_model_id} on offer {self.offer_id} by method {self.method_id}"
