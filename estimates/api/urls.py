"""Addresses of the estimates."""

from django.urls import URLPattern, path

from config.rest.schema import described_detail, described_list
from config.rest.views import routes
from estimates.api.accuracy import AccuracyView
from estimates.api.accuracy_runs import AccuracyRunsView
from estimates.api.batch import BatchView
from estimates.api.claims import CLAIMS, ClaimDetailView, ClaimListView
from estimates.api.compare import CompareView
from estimates.api.curve import CurveView, StoredCurveView
from estimates.api.diff import DiffView
from estimates.api.economics import BreakEvenView, StoredEconomicsView
from estimates.api.effects import EffectsView
from estimates.api.estimates import ESTIMATES, EstimateDetailView, EstimateListView
from estimates.api.evaluate import EvaluateView
from estimates.api.explain import ExplainView
from estimates.api.jobs import JOBS, JobCancelView, JobResultView
from estimates.api.runs import RUNS
from estimates.api.schedule_editing import URLS as SCHEDULE_URLS
from estimates.api.search import SearchView

urlpatterns: list[URLPattern] = [
    path("estimates/evaluate", EvaluateView.as_view(), name="estimates-evaluate"),
    path("estimates/batch", BatchView.as_view(), name="estimates-batch"),
    path("estimates/compare", CompareView.as_view(), name="estimates-compare"),
    path("estimates/curve", CurveView.as_view(), name="estimates-curve"),
    path("estimates/<key:key>/curve", StoredCurveView.as_view(), name="estimates-stored-curve"),
    path("estimates/search", SearchView.as_view(), name="estimates-search"),
    path("estimates/break-even", BreakEvenView.as_view(), name="estimates-break-even"),
    path("estimates/<key:key>/economics", StoredEconomicsView.as_view(), name="estimates-economics"),
    path("estimates/diff", DiffView.as_view(), name="estimates-diff"),
    path("estimates/<key:key>/explain", ExplainView.as_view(), name="estimates-explain"),
    path("estimates", described_list(EstimateListView, ESTIMATES).as_view(), name="estimates-list"),
    path(
        "estimates/<key:key>",
        described_detail(EstimateDetailView, ESTIMATES).as_view(),
        name="estimates-detail",
    ),
    path("claims", described_list(ClaimListView, CLAIMS).as_view(), name="claims-list"),
    path("claims/<key:key>", described_detail(ClaimDetailView, CLAIMS).as_view(), name="claims-detail"),
    path("changes/<key:key>/effects", EffectsView.as_view(), name="changes-effects"),
    *routes(RUNS),
    *routes(JOBS),
    path("jobs/<key:key>/result", JobResultView.as_view(), name="jobs-result"),
    path("jobs/<key:key>/cancel", JobCancelView.as_view(), name="jobs-cancel"),
    *SCHEDULE_URLS,
    path("accuracy", AccuracyView.as_view(), name="accuracy-list"),
    path("accuracy/runs", AccuracyRunsView.as_view(), name="accuracy-runs-list"),
]
