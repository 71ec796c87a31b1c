"""`/metrics`: what Prometheus reads, to whoever may read the API."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from config.metrics import requests
from config.rest.rendering import JsonRenderer
from estimates.metrics import ServiceCollector


class MetricsView(APIView):
    """The figures of all web processes of this host and, read now, of the database and the broker."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        renderer = JsonRenderer()  # of refusals alone; the figures have encodings of their own
        return renderer, renderer.media_type

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        for collector in (*requests.collectors(), ServiceCollector()):
            registry.register(collector)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = HttpResponse(encode(registry), content_type=content_type)
        response["Cache-Control"] = "no-store"
        return response
