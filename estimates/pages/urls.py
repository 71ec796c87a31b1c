"""Addresses of the explorer."""

from django.urls import path

from estimates.pages import views
from estimates.pages.accuracy import views as accuracy

app_name = "explorer"
urlpatterns = [
    path("", views.finder_page, name="finder"),
    path("row/<str:offer>", views.row, name="row"),
    path("accuracy/", accuracy.accuracy_page, name="accuracy"),
    path("accuracy/points.json", accuracy.accuracy_points, name="accuracy-points"),
    path("accuracy/table.csv", accuracy.accuracy_csv, name="accuracy-csv"),
    path("finder.csv", views.table_csv, name="csv"),
]
