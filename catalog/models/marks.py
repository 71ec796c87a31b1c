"""Marks that writes leave behind: one small query tells whether an answer could have changed."""

from django.db import models


class FactMark(models.Model):
    """One write to a table of facts or estimates: a random number that triggers insert with the write.

    The numbers of a kind, combined by exclusive or, name the set of writes that are committed: the result
    changes with every commit, whatever the order of commits, and after a restored backup goes on to values
    that never were. Rows are only inserted, so that writers do not wait for one another; now and then a
    writer replaces some by one that stands for all of them, which leaves the result as it is.
    """

    kind = models.CharField(max_length=63, help_text="the table written to")
    subject = models.BigIntegerField(help_text="the language model whose rows were written, 0 for the table")
    value = models.BigIntegerField()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["kind", "subject"], name="catalog_factmark_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
