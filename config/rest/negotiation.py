"""Chooses the format of an answer: `format=` where given, else the Accept header."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from config.rest.faults import Fault, invalid_parameters


class Negotiation(DefaultContentNegotiation):
    """As REST framework has it, but an unknown `format=` is a 400 that names the known ones."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            accepted = [str(renderer.format) for renderer in renderers]
            detail = f"format={format[:60]!r} is none of {', '.join(accepted)}"
            raise invalid_parameters([Fault("?format", "choice", detail, accepted)])
        return found

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
