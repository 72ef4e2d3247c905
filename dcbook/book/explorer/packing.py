"""Arrays of whole numbers for many frames in a short text: small differences, deflate, base64.

From one epoch to the next most points move little, and few change their cluster. What is stored is therefore, for each
array, its difference from an earlier one. `settled` first leaves points where they are drawn until they have moved
visibly, so that most differences are zero. The page undoes all this with its browser's own `DecompressionStream`.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np

ALONE = -1  # instead of the number of an earlier array


def packed(arrays: Sequence[np.ndarray], before: Sequence[int]) -> str:
    """Arrays of one shape, of numbers from 0 to 32,767, as a text.

    `before` has, for each array, the number of the earlier one that it is stored as a difference from, or `ALONE`.
    Differences d become the numbers 2d or, below zero, -2d - 1; first come the low bytes of all of them, then the high
    bytes.
    """
    whole = [array.astype(np.int32).ravel() for array in arrays]
    moves = np.stack([new - whole[old] if old != ALONE else new for new, old in zip(whole, before, strict=True)])
    folded = np.where(moves < 0, -2 * moves - 1, 2 * moves).astype("<u2")
    both = np.ascontiguousarray(folded).view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(both.tobytes(), 9)).decode()


def unpacked(text: str, before: Sequence[int]) -> np.ndarray:
    """What was packed, as flat arrays (number of arrays, numbers in one) of int32; it is what the page does as well."""
    both = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, len(before), -1).astype(np.int32)
    folded = both[0] + 256 * both[1]
    moves = np.where(folded % 2, -(folded // 2) - 1, folded // 2)
    arrays = np.empty_like(moves)
    for number, old in enumerate(before):
        arrays[number] = moves[number] + (arrays[old] if old != ALONE else 0)
    return arrays


def settled(maps: Sequence[np.ndarray], before: Sequence[int], reach: int) -> list[np.ndarray]:
    """Maps (N, 2) of whole numbers in which a point stays where it was drawn before while it is near there.

    A point that has moved by more than `reach` in one coordinate is drawn at its place. No place is wrong by more than
    `reach` in a coordinate.
    """
    drawn: list[np.ndarray] = []
    for places, old in zip(maps, before, strict=True):
        if old == ALONE:
            drawn.append(places)
            continue
        far = (np.abs(places.astype(np.int32) - drawn[old].astype(np.int32)) > reach).any(1, keepdims=True)
        drawn.append(np.where(far, places, drawn[old]))
    return drawn
