"""The finder's answer to a question: what is in the catalogue, the ranked answers, and their state."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Count, Max, Q
from django.utils import timezone

from catalog.models import LanguageModel, PriceQuote, Vendor, Workload
from catalog.models.accelerators import Segment
from catalog.models.language_models import Role
from estimates.combinations import refusal
from estimates.method import method_version
from estimates.models import Calculation, CalculationRun, CalculationState, Objective, RunState
from estimates.pages.chart import Chart, draw
from estimates.pages.places import countries_of
from estimates.pages.question import SHORT_LIST, Question, Vocabulary
from estimates.pages.table import Line, lines, points, sorted_answers, time_text
from estimates.ranking import Answer, Judged, Limits, choose, for_users, priced, read_estimates, with_systems
from estimates.runs import active_runs
from estimates.staleness import is_stale

PREFERRED_MODEL = "llama-3.1-70b-instruct"
PREFERRED_WORKLOAD = "chat"
OBJECTIVES = {
    "within": Objective.THROUGHPUT_WITHIN,
    "fastest": Objective.FASTEST,
    "any": Objective.THROUGHPUT,
}


@dataclass(frozen=True)
class ModelChoice:
    slug: str
    name: str
    publisher: str


@dataclass(frozen=True)
class Catalogue:
    """What the controls of the sentence offer."""

    models: list[tuple[str, list[ModelChoice]]]
    workloads: list[Workload]
    vendors: list[tuple[str, str]]
    countries: list[str]
    vocabulary: Vocabulary


def read_catalogue() -> Catalogue:
    """Models by publisher, workloads, vendors by the number of their parts, countries with a quote."""
    rows = LanguageModel.objects.order_by("publisher__name", "name").values_list(
        "slug", "name", "publisher__name", "role"
    )
    groups: dict[str, list[ModelChoice]] = {}
    slugs = []
    for slug, name, publisher, role in rows:
        slugs.append(slug)
        if role == Role.DECODER:
            groups.setdefault(publisher or "Other", []).append(ModelChoice(slug, name, publisher or "Other"))
    workloads = list(Workload.objects.order_by("position", "slug"))
    vendors = list(
        Vendor.objects.filter(accelerators__isnull=False)
        .annotate(parts=Count("accelerators"))
        .order_by("-parts", "slug")
        .values_list("slug", "name")
    )
    countries = list(
        PriceQuote.objects.exclude(country="")
        .order_by("country")
        .values_list("country", flat=True)
        .distinct()
    )
    default_workload = next((w.slug for w in workloads if w.slug == PREFERRED_WORKLOAD), "")
    vocabulary = Vocabulary(
        models=frozenset(slugs),
        workloads=frozenset(workload.slug for workload in workloads),
        vendors=frozenset(slug for slug, _ in vendors),
        places=frozenset(countries),
        default_model=PREFERRED_MODEL if PREFERRED_MODEL in slugs else (slugs[0] if slugs else ""),
        default_workload=default_workload or (workloads[0].slug if workloads else ""),
    )
    return Catalogue(sorted(groups.items()), workloads, vendors, countries, vocabulary)


@dataclass(frozen=True)
class Progress:
    """How far the calculation of one model has come, and the run that does it."""

    done: int
    total: int
    stale: int
    failed: int
    error: str
    run: CalculationRun | None

    @property
    def unfinished(self) -> bool:
        return self.done < self.total or (self.run is not None and self.run.state == RunState.RUNNING)

    @property
    def share(self) -> float:
        """Of the run where there is one with chunks, else of the model's own calculations, in per cent."""
        if self.run is not None and self.run.chunks:
            return 100 * self.run.chunks_done / self.run.chunks
        return 100 * self.done / self.total if self.total else 0.0


def read_progress(model: LanguageModel, stale: Q) -> Progress:
    counts = Calculation.objects.filter(language_model=model).aggregate(
        total=Count("pk"),
        done=Count("pk", filter=~Q(state=CalculationState.NEVER)),
        stale=Count("pk", filter=stale & ~Q(state=CalculationState.NEVER)),
        failed=Count("pk", filter=Q(state=CalculationState.FAILED)),
        error=Max("error"),
    )
    run = active_runs().order_by("-pk").first()
    return Progress(run=run, **counts)


@dataclass(frozen=True)
class Result:
    """Everything below the sentence. `state` names which of the designed states is shown."""

    state: str
    model: LanguageModel
    workload: Workload
    limits_text: str
    refusal: str
    progress: Progress
    chart: Chart | None
    lines: list[Line]
    fastest: Line | None
    total: int
    unpriced: int
    stale_rows: int
    stale_prices: int
    misses: list[Line]
    too_slow: int
    unfit: int
    refused: int
    loosenings: list[tuple[str, str]]

    @property
    def hidden(self) -> int:
        return self.total - len(self.lines)


@dataclass(frozen=True)
class Ranking:
    """The answers in order, what else is kept for their offers, what did not make it, all rows."""

    rows: list[Answer]
    answers: list[Answer]
    others: list[Answer]
    judged: Judged


def ranked(question: Question, catalogue: Catalogue, model: LanguageModel, stale: Q) -> Ranking:
    """Read, judge, price and rank; systems' names are not read yet."""
    workload = workload_of(question, catalogue)
    rows = read_estimates(
        model, workload, stale, vendors=question.vendor, segment=question.segment, chips=question.chips
    )
    limits = limits_of(question, workload)
    judged = choose(rows, limits, OBJECTIVES[question.answer])
    answers = for_users(judged.answers, question.users, question.chips)
    answers = priced(answers, question.basis, countries_of(question.region))
    return Ranking(
        rows, sorted_answers(answers, question.order), other_answers(rows, answers, limits), judged
    )


def other_answers(rows: list[Answer], answers: list[Answer], limits: Limits) -> list[Answer]:
    """What else is kept within the limits for the offers that answer: mostly their fastest deployment."""
    chosen = {row.offer: row for row in answers}
    others = []
    seen = {(row.offer, row.tpot_ms, row.concurrency) for row in answers}
    for row in rows:
        mark = (row.offer, row.tpot_ms, row.concurrency)
        if row.offer in chosen and row.fits and limits.kept_by(row) and mark not in seen:
            seen.add(mark)
            others.append(replace(row, quote=chosen[row.offer].quote))
    return others


def workload_of(question: Question, catalogue: Catalogue) -> Workload:
    return next(workload for workload in catalogue.workloads if workload.slug == question.workload)


def model_of(question: Question) -> LanguageModel:
    return LanguageModel.objects.select_related("publisher").get(slug=question.model)


def one_line(question: Question, catalogue: Catalogue, offer: str) -> Line | None:
    """The line of one offer as the whole answer would have it, but for its rank; None where it has none."""
    workload = workload_of(question, catalogue)
    rows = read_estimates(model_of(question), workload, is_stale(), offer=offer)
    answers = choose(rows, limits_of(question, workload), OBJECTIVES[question.answer]).answers
    answers = for_users(answers, question.users, None)
    answers = with_systems(priced(answers, question.basis, countries_of(question.region)))
    return next(iter(lines(answers, timezone.now().date())), None)


def answer(question: Question, catalogue: Catalogue) -> Result:
    """The answer in a number of queries that does not depend on how many rows it has."""
    model = model_of(question)
    workload = workload_of(question, catalogue)
    stale = is_stale()
    progress = read_progress(model, stale)
    ranking = ranked(question, catalogue, model, stale)
    answers, judged = ranking.answers, ranking.judged
    shown = len(answers) if question.rows == "all" else SHORT_LIST
    kept = with_systems(answers[:shown])
    today = timezone.now().date()
    misses = [*judged.too_slow, *judged.unfit, *judged.refused]
    return Result(
        state=_state(model, progress, ranking),
        model=model,
        workload=workload,
        limits_text=limits_text(question, workload),
        refusal=refusal(model.role).partition(": ")[2],
        progress=progress,
        chart=draw(points(answers, ranking.others), dict(catalogue.vendors), question.vendor),
        lines=lines(kept, today),
        fastest=_fastest([*answers, *ranking.others], today),
        total=len(answers),
        unpriced=sum(row.quote is None for row in answers),
        stale_rows=sum(row.is_stale for row in answers),
        stale_prices=sum(row.quote.stale for row in answers if row.quote),
        misses=lines(with_systems(misses), today) if question.unfit else [],
        too_slow=len(judged.too_slow),
        unfit=len(judged.unfit),
        refused=len(judged.refused),
        loosenings=[] if answers else loosenings(question),
    )


def _fastest(rows: list[Answer], today: date) -> Line | None:
    """The priced row with the highest speed for a user."""
    priced_rows = [row for row in rows if row.tok_s_per_user and row.usd_per_mtok]
    best = max(
        priced_rows, key=lambda row: (row.tok_s_per_user or 0.0, -(row.usd_per_mtok or 0.0)), default=None
    )
    return next(iter(lines([best], today)), None) if best else None


def _state(model: LanguageModel, progress: Progress, ranking: Ranking) -> str:
    if refusal(model.role):
        return "refused"
    if ranking.answers:
        return "answered" if any(row.quote for row in ranking.answers) else "unpriced"
    if ranking.rows or (progress.total and progress.done == progress.total):
        return "empty"
    return "uncalculated"


def limits_of(question: Question, workload: Workload) -> Limits:
    """The question's limits; one that is not given is the workload's own."""
    if question.tpot is None and question.ttft is None:
        return Limits(workload.tpot_limit_ms, workload.ttft_limit_ms, own_service_level=True)
    return Limits(
        tpot_ms=question.tpot or workload.tpot_limit_ms,
        ttft_ms=question.ttft or workload.ttft_limit_ms,
        own_service_level=False,
    )


def limits_text(question: Question, workload: Workload) -> str:
    """The limits as a phrase, with whose they are."""
    if question.answer == "any":
        return "no limits"
    parts = []
    for name, own, asked in (
        ("TPOT", workload.tpot_limit_ms, question.tpot),
        ("TTFT", workload.ttft_limit_ms, question.ttft),
    ):
        if asked or own:
            parts.append(f"{name} ≤ {time_text(asked or own)}" + ("" if asked else " (the workload’s)"))
    return ", ".join(parts) or "no limits"


def loosenings(question: Question) -> list[tuple[str, str]]:
    """What could be asked for instead when nothing answers: label and address of each weaker question."""
    choices: list[tuple[str, dict[str, object], bool]] = [
        ("any vendor", {"vendor": ()}, bool(question.vendor)),
        ("any kind of hardware", {"segment": ""}, bool(question.segment)),
        ("any number of chips", {"chips": None}, question.chips is not None),
        ("one user", {"users": None}, question.users is not None),
        ("the workload’s own limits", {"tpot": None, "ttft": None}, bool(question.tpot or question.ttft)),
        ("no limits on time", {"answer": "any"}, question.answer != "any"),
        ("show what misses, and by how much", {"unfit": True}, not question.unfit),
    ]
    return [(label, question.address(**change)) for label, change, useful in choices if useful]


@dataclass(frozen=True)
class Frame:
    """What the footer says on every page."""

    method: str
    calculated_at: datetime | None
    newest_price: date | None


def read_frame() -> Frame:
    return Frame(
        method=method_version()[:8],
        calculated_at=Calculation.objects.aggregate(at=Max("calculated_at"))["at"],
        newest_price=PriceQuote.objects.aggregate(at=Max("observed_on"))["at"],
    )


SEGMENTS = [(segment.value, segment.label) for segment in Segment]


def workload_label(workload: Workload) -> str:
    """Name and lengths: "Chat (1,024 in, 256 out)"."""
    return f"{workload.name} ({workload.isl:,} in, {workload.osl:,} out)"
