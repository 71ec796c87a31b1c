"""The kinds of schedule: which parameters each accepts, what it prepares, and what it does.

`prepare` runs outside any transaction: it reads files, the network, the catalogue. `work` runs inside the
transaction that marks the run done, so that whatever it writes to the database is there exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field

from catalog.prices import STALE_AFTER_DAYS
from estimates.schedules.models import Schedule, ScheduledRun, ScheduleKind

Tell = Callable[[str], None]


class InvalidParameters(ValueError):  # noqa: N818
    """Parameters of the right form that mean nothing here: where, the value, what is accepted."""

    def __init__(self, path: tuple[str | int, ...], value: Any, accepted: str) -> None:
        self.path, self.value, self.accepted = path, value, accepted
        name = ".".join(map(str, path)) or "parameters"
        super().__init__(f"{name}: {value!r} is not accepted; accepted: {accepted}")


class Refused(Exception):  # noqa: N818
    """The run cannot be done as it is asked for and trying again would change nothing; says why."""

    def __init__(self, why: str, report: dict[str, Any] | None = None) -> None:
        super().__init__(why)
        self.report = report


@dataclass(slots=True)
class Done:
    """What a run did: one sentence, counts by name, and a report for those kinds that make one."""

    outcome: str
    counts: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] | None = None


class Work(Protocol):
    """The work of one kind."""

    def prepare(self, run: ScheduledRun, schedule: Schedule, parameters: Any, tell: Tell) -> Any: ...

    def work(self, prepared: Any, schedule: Schedule, parameters: Any, tell: Tell) -> Done: ...


class Parameters(BaseModel):
    """What all parameters share: nothing is accepted that is not named."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def check(self) -> None:
        """Look at the values against the database and the settings. Raises InvalidParameters."""


class RecalculationParameters(Parameters):
    """Which estimates are made again."""

    scope: str = Field(max_length=300, description="all, stale, model:SLUG or accelerator:SLUG")

    def check(self) -> None:
        from estimates.runs import UnknownScope, calculations_in

        try:
            calculations_in(self.scope)
        except UnknownScope as error:
            near = f"; did you mean {', '.join(error.near)}?" if error.near else ""
            raise InvalidParameters(("scope",), error.value, f"{error.accepted}{near}") from None


class PriceImportParameters(Parameters):
    """Where price files are read: a directory below ATLAS_PRICE_IMPORT_DIR, or one file at an address."""

    path: str | None = Field(
        default=None, max_length=300, description="directory below ATLAS_PRICE_IMPORT_DIR; . is itself"
    )
    url: str | None = Field(
        default=None, max_length=2000, description="https address on one of ATLAS_PRICE_IMPORT_HOSTS"
    )
    file: str | None = Field(
        default=None,
        max_length=200,
        description="with url: what the file is, price_quotes/PROVIDER.csv, token_prices/SOURCE.csv or "
        "purchase_prices.csv",
    )

    def check(self) -> None:
        from estimates.schedules import price_places

        if (self.path is None) == (self.url is None):
            given = {"path": self.path, "url": self.url}
            raise InvalidParameters((), given, "either path, or url with file")
        if self.path is not None:
            if self.file is not None:
                raise InvalidParameters(("file",), self.file, "nothing beside path")
            price_places.check_path(self.path)
        if self.url is not None:
            price_places.check_address(self.url)
            price_places.check_file_name(self.file)


class FreshnessParameters(Parameters):
    """From which age on a price counts as old."""

    stale_after_days: int = Field(default=STALE_AFTER_DAYS, ge=1, le=36_500, description="days, 1 to 36,500")


class PruningParameters(Parameters):
    """How long what piles up is kept; what is left out has the default."""

    job_days: int | None = Field(
        default=None, ge=1, le=36_500, description="ended jobs; ATLAS_JOB_KEEP_DAYS where left out"
    )
    movement_days: int = Field(default=90, ge=1, le=36_500, description="what recalculations moved (90)")
    ledger_days: int = Field(default=90, ge=1, le=36_500, description="runs of schedules (90)")
    sessions: bool = Field(default=True, description="delete expired sessions (true)")

    @property
    def kept_job_days(self) -> int:
        return int(settings.ATLAS_JOB_KEEP_DAYS) if self.job_days is None else self.job_days


@dataclass(frozen=True, slots=True)
class Kind:
    """The parameters and the work of one kind of schedule."""

    parameters: type[Parameters]
    work: Work


@cache
def works() -> dict[str, Kind]:
    """Every kind by its name; read late, for the works read the rest of the product."""
    from estimates.schedules import freshness, price_import, pruning, recalculating

    return {
        ScheduleKind.RECALCULATION: Kind(RecalculationParameters, recalculating.Recalculating()),
        ScheduleKind.PRICE_IMPORT: Kind(PriceImportParameters, price_import.PriceImport()),
        ScheduleKind.FRESHNESS: Kind(FreshnessParameters, freshness.Freshness()),
        ScheduleKind.PRUNING: Kind(PruningParameters, pruning.Pruning()),
    }


PARAMETERS: dict[str, type[Parameters]] = {
    ScheduleKind.RECALCULATION: RecalculationParameters,
    ScheduleKind.PRICE_IMPORT: PriceImportParameters,
    ScheduleKind.FRESHNESS: FreshnessParameters,
    ScheduleKind.PRUNING: PruningParameters,
}


def read_parameters(kind: str, given: Any) -> Any:
    """Parameters as the kind reads them. Raises pydantic's ValidationError, or InvalidParameters."""
    if not isinstance(given, dict):
        raise InvalidParameters((), given, described_parameters(kind))
    parameters = PARAMETERS[kind].model_validate(given)
    parameters.check()
    return parameters


def described_parameters(kind: str) -> str:
    """The parameters of a kind in words."""
    fields = PARAMETERS[kind].model_fields
    named = "; ".join(f"{name}: {one.description}" for name, one in fields.items())
    return f"a JSON object of {named}"
