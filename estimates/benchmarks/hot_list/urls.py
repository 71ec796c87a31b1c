"""The service's addresses, and those that the benchmark compares them with."""

from django.urls import path

from config.urls import handler500 as handler500
from config.urls import urlpatterns as of_the_service
from estimates.benchmarks.hot_list.bare import bare, nothing
from estimates.benchmarks.hot_list.unkept import UnkeptListView

urlpatterns = [
    path("bare/estimates", bare),
    path("bare/nothing", nothing),
    path("unkept/estimates", UnkeptListView.as_view()),
    *of_the_service,
]
