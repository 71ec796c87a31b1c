"""What the data files said at the last load, so that an editor's change is told apart from the files'."""

from django.db import models


class LoadedRow(models.Model):
    """The columns of one row as the data files last had them.

    A load merges three ways: a column that an editor changed since (database differs from here) stays, one
    that only the files changed is taken over.
    """

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    values = models.JSONField()

    class Meta:
        ordering = ["kind", "key"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="catalog_loadedrow_natural_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
