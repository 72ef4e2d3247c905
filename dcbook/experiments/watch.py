"""What a run may keep beside its scores: numbers of every epoch, and a portrait of the trained model.

A `Watch` only looks: the same run without it gives the same model. Its numbers join the history of the record, its
portrait is the record's own part, so that figures are drawn from records alone.
"""

from abc import ABC, abstractmethod
from typing import Any

from dcbook.data import Dataset


class Watch(ABC):
    """What `Method.watch` takes: a class or an instance whose `name` stands for what it records."""

    name: str

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Numbers for the history, after an epoch; by default none."""
        return {}

    @abstractmethod
    def portrait(self, model: Any, data: Dataset) -> dict:
        """What JSON can hold, of the fitted model."""
