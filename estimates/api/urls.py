"""Addresses of the estimates."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
