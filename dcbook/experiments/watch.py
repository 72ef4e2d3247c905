"""Watches: what a run records in addition to its scores, per epoch and about the trained model (its portrait).

A `Watch` does not change the model. Its numbers are added to the history of the record, and its portrait is an entry of
the record, so that figures can be drawn from records alone.
"""

from abc import ABC, abstractmethod
from typing import Any

from dcbook.data import Dataset


class Watch(ABC):
    """The base of values for `Method.watch`: a class or an instance whose `name` identifies what it records."""

    name: str

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Numbers for the history, after an epoch; by default none."""
        return {}

    @abstractmethod
    def portrait(self, model: Any, data: Dataset) -> dict:
        """Data about the fitted model, as JSON values."""
