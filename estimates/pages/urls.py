"""Addresses of the explorer."""

from django.urls import path

from estimates.pages import load_views, views
from estimates.pages.accuracy import views as accuracy

app_name = "explorer"
urlpatterns = [
    path("", views.finder_page, name="finder"),
    path("row/<str:offer>", views.row, name="row"),
    path("load/<int:pk>", load_views.load_of_row, name="load"),
    path("accuracy/", accuracy.accuracy_page, name="accuracy"),
    path("accuracy/points.json", accuracy.accuracy_points, name="accuracy-points"),
    path("accuracy/table.csv", accuracy.accuracy_csv, name="accuracy-csv"),
    path("finder.csv", views.table_csv, name="csv"),
]
