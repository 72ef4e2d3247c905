"""A question's estimate and interval as a small inline SVG, in the color of the text around it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from dcbook.experiments.contrast import POINTS, told_interval

WIDTH, HEIGHT, EDGE = 200, 16, 6
SPAN = 15.0  # points on both sides of zero: one axis for all differences in points


def drawn(question: Mapping[str, Any]) -> str:
    """The mean as a dot, the interval as a line (an arrow where the axis ends first), the claim's limit or band.

    `question` is one of ``claims.json``. All questions in points share one axis; any other has its own.
    """
    low, high = axis(question)
    middle = HEIGHT / 2

    def x(value: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (min(max(value, low), high) - low) / (high - low), 1)

    parts = []
    if "within" in question:
        left, right = x(-question["within"]), x(question["within"])
        parts.append(f'<rect class="band" x="{left}" y="0" width="{round(right - left, 1)}" height="{HEIGHT}"/>')
    if low <= 0 <= high:
        parts.append(f'<path class="zero" d="M{x(0)} 0V{HEIGHT}"/>')
    limit = question.get("above", question.get("below"))
    if limit:
        parts.append(f'<path class="limit" d="M{x(limit)} 0V{HEIGHT}"/>')
    ends = [value if value is not None else edge for value, edge in ((question["low"], low), (question["high"], high))]
    parts.append(f'<path class="interval" d="M{x(ends[0])} {middle}H{x(ends[1])}"/>')
    for end, edge, outward in ((ends[0], low, -1), (ends[1], high, 1)):
        beyond = (end - edge) * outward > 0 or (question["low"] if outward < 0 else question["high"]) is None
        if beyond:
            tip, back = x(edge) + outward * (EDGE - 1), x(edge)
            parts.append(f'<path class="arrow" d="M{back} {middle - 4}L{tip} {middle}L{back} {middle + 4}z"/>')
    if low <= question["mean"] <= high:
        parts.append(f'<circle class="mean" cx="{x(question["mean"])}" cy="{middle}" r="3.5"/>')
    title = escape(f"{question['about']}: {told_interval(question)}", quote=True)
    head = f'<svg class="interval-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
    return f"{head}{''.join(parts)}</svg>"


def axis(question: Mapping[str, Any]) -> tuple[float, float]:
    """The ends of a question's axis, in its unit."""
    if question["unit"] == POINTS:
        return -SPAN, SPAN
    limit = question.get("above", question.get("below"))
    band = (-question["within"], question["within"]) if "within" in question else (limit,)
    values = [value for value in (question["low"], question["high"], question["mean"], 0.0, *band) if value is not None]
    return min(values), max(max(values), min(values) + 1e-9)
