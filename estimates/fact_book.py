"""Facts of what-ifs, each read once: for many questions about a catalogue that stands still."""

from __future__ import annotations

from dataclasses import replace

from estimates.asked_hardware import Hardware, find_hardware
from estimates.asked_model import find_model
from estimates.core.facts import Chip, ModelFacts
from estimates.from_catalog import chip_of
from estimates.what_if import Question


class FactBook:
    """Stored models and hardware by the names that questions use. Lives as long as one piece of work."""

    def __init__(self) -> None:
        self._models: dict[str, ModelFacts] = {}
        self._hardware: dict[tuple[object, ...], Hardware] = {}
        self._chips: dict[str, Chip] = {}

    def model_of(self, question: Question) -> ModelFacts:
        """The model in question; an inline one is not kept. Raises InvalidQuestion."""
        if not isinstance(question.model, str):
            return find_model(question.model)
        if question.model not in self._models:
            self._models[question.model] = find_model(question.model)
        return self._models[question.model]

    def hardware_of(self, question: Question) -> Hardware:
        """The hardware in question; inline or overridden one is not kept. Raises InvalidQuestion."""
        if question.overrides or not isinstance(question.accelerator, str | None):
            return find_hardware(question)
        key = (question.accelerator, question.offer, question.count)
        if key not in self._hardware:
            self._hardware[key] = find_hardware(question)
        return replace(self._hardware[key], overridden={}, notes=[])

    def chip_of(self, question: Question) -> Chip:
        """The core's chip of the hardware in question. Raises InvalidQuestion or InvalidFact."""
        sheet = self.hardware_of(question).sheet
        if question.overrides or not isinstance(question.accelerator, str):
            return chip_of(sheet)
        if sheet.slug not in self._chips:
            self._chips[sheet.slug] = chip_of(sheet)
        return self._chips[sheet.slug]
