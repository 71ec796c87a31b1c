"""Addresses of the explorer."""

from django.urls import path

from estimates.pages import load_views, views
from estimates.pages.accuracy import views as accuracy
from estimates.pages.breakeven import views as breakeven
from estimates.pages.claims import views as claims
from estimates.pages.compare import views as compare
from estimates.pages.prices import views as prices
from estimates.pages.search import views as search

app_name = "explorer"
urlpatterns = [
    path("", views.finder_page, name="finder"),
    path("row/<str:offer>", views.row, name="row"),
    path("load/<int:pk>", load_views.load_of_row, name="load"),
    path("accuracy/", accuracy.accuracy_page, name="accuracy"),
    path("accuracy/points.json", accuracy.accuracy_points, name="accuracy-points"),
    path("accuracy/table.csv", accuracy.accuracy_csv, name="accuracy-csv"),
    path("search/", search.search_page, name="search"),
    path("search.csv", search.search_csv, name="search-csv"),
    path("claims/", claims.claims_page, name="claims"),
    path("claims/table.csv", claims.claims_csv, name="claims-csv"),
    path("compare/", compare.compare_page, name="compare"),
    path("compare/table.csv", compare.compare_csv, name="compare-csv"),
    path("prices/", prices.prices_page, name="prices"),
    path("prices/table.csv", prices.prices_csv, name="prices-csv"),
    path("break-even/", breakeven.break_even_page, name="break-even"),
    path("break-even/table.csv", breakeven.break_even_csv, name="break-even-csv"),
    path("finder.csv", views.table_csv, name="csv"),
]
