"""The finder's pages: the question answered, one row explained, the table as CSV."""

import csv
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from estimates.pages import detail, finder
from estimates.pages.places import place_name
from estimates.pages.question import (
    ANSWERS,
    BASES,
    ORDERS,
    Question,
    QuestionError,
    read_question,
    region_names,
)
from estimates.pages.table import csv_rows
from estimates.staleness import is_stale

type View = Callable[..., HttpResponse]


def readable(view: View) -> View:
    """Pages are open to anyone where anonymous reading is, else to those logged in; GET, compressed.

    The pages hold no secret beside what the address says, and Django pads them at random (BREACH).
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.ATLAS_ANONYMOUS_READ and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    return require_safe(gzip_page(guarded))


def is_fragment(request: HttpRequest) -> bool:
    """Whether a script on the page asks for a part of it; a restored page is asked for whole."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


@readable
def finder_page(request: HttpRequest) -> HttpResponse:
    """The finder: whole, or its answer alone where a script asks."""
    catalogue = finder.read_catalogue()
    if not catalogue.vocabulary.default_model or not catalogue.vocabulary.default_workload:
        return _page(request, {"catalogue": catalogue, "answer_template": "explorer/_bare.html"})
    try:
        question = read_question(request.GET, catalogue.vocabulary)
    except QuestionError as error:
        return _refused(request, catalogue, error)
    result = finder.answer(question, catalogue)
    response = _page(
        request,
        {
            **_controls(question, catalogue),
            "result": result,
            "detail": next(
                (detail.explain(line) for line in result.lines if line.answer.offer == question.open), None
            ),
            "answer_template": "explorer/_answer.html",
        },
    )
    if is_fragment(request) and request.headers.get("HX-Source", "").startswith("form"):
        response["HX-Push-Url"] = request.path + question.address()
    return response


@readable
def row(request: HttpRequest, offer: str) -> HttpResponse:
    """One opened row; without a script the finder with that row open."""
    catalogue = finder.read_catalogue()
    try:
        question = read_question(request.GET, catalogue.vocabulary)
    except QuestionError as error:
        return _refused(request, catalogue, error)
    if not is_fragment(request):
        return redirect(f"/{question.address(open=offer)}#{offer}")
    line = finder.one_line(question, catalogue, offer)
    if line is None:
        raise Http404(f"no answer for {offer}")
    context = {**_controls(question, catalogue), "line": line, "detail": detail.explain(line)}
    return render(request, "explorer/_detail.html", context)


@readable
def table_csv(request: HttpRequest) -> HttpResponse:
    """Every point of the chart, so every row of the table too, with full figures."""
    catalogue = finder.read_catalogue()
    try:
        question = read_question(request.GET, catalogue.vocabulary)
    except QuestionError as error:
        return _refused(request, catalogue, error)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"inference-atlas-{question.model}-{question.workload}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    ranking = finder.ranked(question, catalogue, finder.model_of(question), is_stale())
    csv.writer(response).writerows(csv_rows([*ranking.answers, *ranking.others]))
    return response


def _controls(question: Question, catalogue: finder.Catalogue) -> dict[str, object]:
    workload = finder.workload_of(question, catalogue)
    return {
        "question": question,
        "catalogue": catalogue,
        "usual_tpot": f"{workload.tpot_limit_ms:.10g}" if workload.tpot_limit_ms else "any",
        "usual_ttft": f"{workload.ttft_limit_ms:.10g}" if workload.ttft_limit_ms else "any",
        "bases": BASES,
        "answers": ANSWERS,
        "orders": ORDERS,
        "segments": finder.SEGMENTS,
        "regions": region_names(catalogue.countries),
        "basis_text": "on any terms" if question.basis == "any" else BASES[question.basis],
        "region_text": place_name(question.region),
        "order_text": ORDERS[question.order],
    }


def _page(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    if is_fragment(request):
        part = {**context, "fragment": True}
        return render(request, str(context["answer_template"]), part, status=status)
    whole = {**context, "frame": finder.read_frame(), "here": "finder"}
    return render(request, "explorer/finder.html", whole, status=status)


def _refused(request: HttpRequest, catalogue: finder.Catalogue, error: QuestionError) -> HttpResponse:
    vocabulary = catalogue.vocabulary
    question = Question(vocabulary.default_model, vocabulary.default_workload)
    context = {
        **_controls(question, catalogue),
        "problems": error.problems,
        "answer_template": "explorer/_refused.html",
    }
    return _page(request, context, status=400)
