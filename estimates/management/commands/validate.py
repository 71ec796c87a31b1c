"""`manage.py validate`: the estimator against published runs: errors, peers, the order of systems."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate
from rich.console import Console

from estimates.fact_book import FactBook
from estimates.measured.comparison import DIMENSIONS, Validation, validation_of
from estimates.measured.peers import PeerFigure, read_peers
from estimates.measured.predictions import Prediction, predict
from estimates.measured.questions import read_names
from estimates.measured.ranking import Ranking
from estimates.measured.runs import Run, UnreadableMeasurements, read_runs
from estimates.measured.tables import print_validation
from estimates.measured.validated_ranking import validated_ranking
from estimates.method import efficiency

PREDICTION_COLUMNS: Final = (
    "run_id",
    "metric",
    "predicted",
    "low",
    "high",
    "grade",
    "tier",
    "reason",
)
TERMINAL_COLUMNS: Final = 150


class Command(BaseCommand):
    help = "Estimate every run of a file of measurements and say how far off the estimates are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--measurements", required=True, metavar="FILE", help="CSV, one metric a row")
        parser.add_argument("--peers", metavar="FILE", help="CSV: run_id, tool, metric, value, error")
        parser.add_argument("--by", default="", metavar="A,B", help=f"slices: {', '.join(DIMENSIONS)}")
        parser.add_argument("--json", metavar="FILE", help="write the scores there; - for the output")
        parser.add_argument(
            "--ranking", metavar="FILE", help="write how systems are ordered there, in short, as JSON"
        )
        parser.add_argument("--predictions", metavar="FILE", help="write every prediction there, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        by = dimensions(options["by"])
        runs, peers = read(options["measurements"], options["peers"])
        for name in ("json", "predictions"):
            check_writable(options[name])
        if options["ranking"]:
            check_writable(str(beside(Path(options["ranking"]))))
        names, book = read_names(), FactBook()
        predictions = list(predict(runs, book, names))
        ranking = validated_ranking(runs, predictions, book, names)
        found = replace(validation_of(runs, predictions, names, by, peers), ranking=ranking)
        if options["predictions"]:
            write_predictions(Path(options["predictions"]), predictions)
        if options["ranking"]:
            replace_file(Path(options["ranking"]), as_line(ranking, len(runs)) + "\n")
        if options["json"] == "-":
            self.stdout.write(as_text(found))
            return
        if options["json"]:
            Path(options["json"]).write_text(as_text(found) + "\n", encoding="utf-8")
        width = None if self.stdout.isatty() else TERMINAL_COLUMNS
        print_validation(Console(file=self.stdout, width=width), found)  # type: ignore[arg-type]


def dimensions(text: str) -> list[str]:
    """The slices asked for. Raises CommandError for one that does not exist."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    for name in asked:
        if name not in DIMENSIONS:
            raise CommandError(f"--by {name} is no slice; accepted: {', '.join(DIMENSIONS)}")
    return list(dict.fromkeys(asked))


def read(measurements: str, peers: str | None) -> tuple[list[Run], list[PeerFigure]]:
    """Both files. Raises CommandError in one line."""
    try:
        return read_runs(measurements), read_peers(peers) if peers else []
    except UnreadableMeasurements as error:
        raise CommandError(str(error)) from None


def check_writable(path: str | None) -> None:
    """Whether a file can be written there, before the work of filling it. Raises CommandError."""
    if path in (None, "", "-"):
        return
    try:
        Path(str(path)).open("a").close()
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def as_text(found: Validation) -> str:
    return json.dumps(found.as_json(), indent=2, allow_nan=False)


def beside(path: Path) -> Path:
    """Where a file that others read is written before it takes its place whole."""
    return path.with_name(f".{path.name}.new")


def replace_file(path: Path, text: str) -> None:
    beside(path).write_text(text, encoding="utf-8")
    beside(path).replace(path)


def as_line(ranking: Ranking, runs: int) -> str:
    """The file that the accuracy page and `GET /api/v1/accuracy` read."""
    made = {"made": localdate().isoformat(), "efficiency_version": efficiency().version, "runs": runs}
    return json.dumps(made | ranking.summary(), separators=(",", ":"), allow_nan=False)


def write_predictions(path: Path, predictions: list[Prediction]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(PREDICTION_COLUMNS)
        for one in predictions:
            writer.writerow([_cell(getattr(one, name)) for name in PREDICTION_COLUMNS])


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else str(value)
