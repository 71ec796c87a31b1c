"""Addresses of the explorer."""

from django.urls import path

from estimates.pages import views

app_name = "explorer"
urlpatterns = [
    path("", views.finder_page, name="finder"),
    path("row/<str:offer>", views.row, name="row"),
    path("finder.csv", views.table_csv, name="csv"),
]
