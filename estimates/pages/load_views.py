"""The load curves of one row: a fragment for an opened row, a page of its own without a script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from estimates.curves import CurveAsked, stored_curves
from estimates.models import Estimate
from estimates.pages.finder import read_frame
from estimates.pages.load import draw
from estimates.pages.views import is_fragment, readable

POINTS = 20


@readable
def load_of_row(request: HttpRequest, pk: int) -> HttpResponse:
    """Throughput and first tokens of a cached estimate against clients and requests a second."""
    rows = Estimate.objects.select_related("calculation", "language_model", "workload", "offer__accelerator")
    row = get_object_or_404(rows, pk=pk)
    context: dict[str, object] = {"load": draw(stored_curves(row, CurveAsked(points=POINTS))), "pk": pk}
    if is_fragment(request):
        return render(request, "explorer/_load.html", context)
    names = (row.language_model.name, f"{row.offer.count} x {row.offer.accelerator.name}", row.workload.name)
    context |= {"title": "{} on {}, {}, under load".format(*names), "frame": read_frame(), "here": "finder"}
    return render(request, "explorer/load.html", context)
