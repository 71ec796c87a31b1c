"""The accuracy page: predicted against measured, error by slice, coverage, worst groups; all as CSV too."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from catalog.models import Accelerator, LanguageModel
from config.rest.rendering import cell
from estimates.accuracy.predictions import NUMBERS, TEXTS, Predictions
from estimates.accuracy.report import Report, current
from estimates.accuracy.scores import slices
from estimates.measured.software import software_titles
from estimates.pages import finder
from estimates.pages.accuracy import reported, tables
from estimates.pages.accuracy.plot import TIER_WORDS, draw_plot, point_data
from estimates.pages.accuracy.question import BY, FILTERS, AccuracyQuestion, read_accuracy_question
from estimates.pages.question import QuestionError
from estimates.pages.views import is_fragment, readable

MOST_RUNS = 25


def read_names() -> dict[str, str]:
    """Names for people by slug: accelerators, models, software, tiers, metrics."""
    return {
        **{metric: words[0] for metric, words in tables.METRIC_WORDS.items()},
        **dict(LanguageModel.objects.order_by().values_list("slug", "name")),
        **dict(Accelerator.objects.order_by().values_list("slug", "name")),
        **software_titles(),
    }


@readable
def accuracy_page(request: HttpRequest) -> HttpResponse:
    """The page whole, or its answer alone where a script asks."""
    report = current()
    if report is None or not len(report.predictions):
        return _page(request, {"answer_template": "explorer/accuracy/_missing.html"})
    try:
        question = read_accuracy_question(request.GET, report.predictions)
    except QuestionError as error:
        return _refused(request, report, error)
    response = _page(request, _context(report, question))
    if is_fragment(request):
        response["HX-Push-Url"] = request.path + question.address()
    return response


def _context(report: Report, question: AccuracyQuestion) -> dict[str, object]:
    predictions, names = report.predictions, read_names()
    chosen = predictions.select(question.wanted, question.complete)
    lines, more = tables.slice_lines(predictions, question, names | TIER_WORDS)
    words = tables.METRIC_WORDS.get(question.metric, (question.metric, question.metric, ""))
    return {
        **_controls(report, question, names),
        "report": report,
        "headlines": tables.headlines(predictions),
        "plausible": reported.plausible_line(report),
        "plot": draw_plot(predictions, chosen),
        "unit": words[2],
        "metric_name": words[0],
        "short_name": words[1],
        "fold_words": tables.FOLD_WORDS,
        "slices": lines,
        "more_slices": more,
        "by_text": BY[question.by],
        "tiers": tables.tier_lines(predictions, question),
        "stages": reported.stage_lines(report),
        "ablation": reported.ablation_lines(report),
        "worst": reported.worst_lines(report, names),
        "peers": reported.peer_lines(report),
        "ranks": reported.rank_lines(report),
        "runs": tables.run_lines(predictions, chosen.tolist(), names, MOST_RUNS),
        "answer_template": "explorer/accuracy/_answer.html",
    }


def _controls(report: Report, question: AccuracyQuestion, names: Mapping[str, str]) -> dict[str, object]:
    values = report.predictions.values
    any_words = {
        "accelerator": "any accelerator",
        "software": "any software",
        "model": "any model",
        "weight_format": "any format",
        "serving": "any serving",
        "tier": "any novelty",
        "grade": "any grade",
    }
    worded = {**names, **TIER_WORDS}
    return {
        "question": question,
        "metrics": [(value, worded.get(value, value)) for value in values["metric"]],
        "folds": [(value, tables.FOLD_WORDS.get(value, value)) for value in values["fold"]],
        "filters": [
            (
                name,
                any_words[name],
                getattr(question, name),
                sorted(
                    ((value, worded.get(value, value)) for value in values[name]),
                    key=lambda item: item[1].lower(),
                )
                if name not in ("tier", "grade")
                else [(value, worded.get(value, value)) for value in values[name]],
            )
            for name in FILTERS
            if values[name]
        ],
        "dimensions": BY,
    }


def _page(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    if is_fragment(request):
        part = {**context, "fragment": True}
        return render(request, str(context["answer_template"]), part, status=status)
    whole = {**context, "frame": finder.read_frame(), "here": "accuracy"}
    return render(request, "explorer/accuracy/page.html", whole, status=status)


def _refused(request: HttpRequest, report: Report, error: QuestionError) -> HttpResponse:
    context = {
        **_controls(report, AccuracyQuestion(), read_names()),
        "problems": error.problems,
        "answer_template": "explorer/_refused.html",
    }
    return _page(request, context, status=400)


@readable
def accuracy_points(request: HttpRequest) -> HttpResponse:
    """The points of the plot for its script."""
    report = current()
    if report is None:
        return JsonResponse({"error": "no calibration has left its report"}, status=404)
    try:
        question = read_accuracy_question(request.GET, report.predictions)
    except QuestionError as error:
        return JsonResponse({"error": str(error)}, status=400)
    chosen = report.predictions.select(question.wanted, question.complete)
    return JsonResponse(point_data(report.predictions, chosen))


@readable
def accuracy_csv(request: HttpRequest) -> HttpResponse:
    """A table of the page with full figures; `table` names it."""
    report = current()
    given = request.GET.copy()
    name = (given.pop("table", ["runs"]) or ["runs"])[-1]
    if report is None or name not in CSV_TABLES:
        return HttpResponse(
            f"table is one of {', '.join(CSV_TABLES)}", status=404, content_type="text/plain; charset=utf-8"
        )
    try:
        question = read_accuracy_question(given, report.predictions)
    except QuestionError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="inference-atlas-accuracy-{name}.csv"'
    rows = CSV_TABLES[name](report, question)
    csv.writer(response).writerows([cell(value) for value in row] for row in rows)
    return response


def _run_rows(report: Report, question: AccuracyQuestion) -> Iterator[Iterable[Any]]:
    predictions: Predictions = report.predictions
    names = (
        "run_id",
        "metric",
        *NUMBERS,
        "error_pct",
        *(name for name in TEXTS if name not in ("run_id", "metric")),
    )
    yield names
    for position in predictions.select(question.wanted, question.complete).tolist():
        row = predictions.row(position)
        yield [row[name] for name in names]


def _slice_rows(report: Report, question: AccuracyQuestion) -> Iterator[Iterable[Any]]:
    wanted = question.filters if question.by == "metric" else question.wanted
    names = tuple(tables.Score.__dataclass_fields__)
    yield (question.by, *names)
    for item in slices(report.predictions, question.by, wanted, question.complete):
        score = item.score.as_json()
        yield (item.value, *(score[name] for name in names))


def _tier_rows(report: Report, question: AccuracyQuestion) -> Iterator[Iterable[Any]]:
    names = tuple(tables.Score.__dataclass_fields__)
    yield ("fold", "tier", *names)
    for fold, lines in tables.tier_lines(report.predictions, question):
        for line in lines:
            score = line.score.as_json()
            yield (fold, line.value, *(score[name] for name in names))


def _stage_rows(report: Report, question: AccuracyQuestion) -> Iterator[Iterable[Any]]:
    yield ("stage", *(f"{fold}_{metric}_mape_pct" for fold, metric in reported.STAGE_COLUMNS))
    for line in reported.stage_lines(report):
        yield (line.name, *(text for text, _ in line.cells))


def _part_rows(part: str) -> Any:
    def rows(report: Report, question: AccuracyQuestion) -> Iterator[Iterable[Any]]:
        entries = report.part(part) or []
        names = list(entries[0]) if entries else []
        yield names
        for entry in entries:
            yield [entry.get(name) for name in names]

    return rows


CSV_TABLES = {
    "runs": _run_rows,
    "slices": _slice_rows,
    "tiers": _tier_rows,
    "stages": _stage_rows,
    "ablation": _part_rows("ablation"),
    "worst_groups": _part_rows("worst_groups"),
}
