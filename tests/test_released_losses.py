"""Our losses of the contrastive chapter beside their released forms, which the bench times, on random inputs."""

import pytest
import torch

from dcbook.chapters.contrastive.grids import PIXELS
from tests.bench._loss_pairs import PAIRS
from tests.bench._table import Row, markdown
from tests.bench.contrastive import METHODS, PHASES

OF_OTHERS = {PIXELS, "k-means, unit length", "AE+k-means", "DCSS on SimCLR"}  # from other chapters, timed there


def slope(t):
    """The gradient; of assignments, whose rows keep the sum 1, without what would change that sum."""
    if t.ndim == 2 and (t.sum(1) - 1).abs().max() < 1e-5:
        return t.grad - t.grad.mean(1, keepdim=True)
    return t.grad


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PAIRS)
def test_ours_equals_the_released_form(name, seed):
    pair = PAIRS[name]
    ours, theirs = (pair.drawn(torch.Generator().manual_seed(seed)) for _ in range(2))
    a, b = pair.ours(*ours), pair.released(*theirs)
    torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    a.backward()
    pair.after(*ours)
    b.backward()
    assert any(t.requires_grad for t in ours)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=0)  # a memory is written by both
        if mine.requires_grad:
            assert slope(other).any()
            assert (slope(mine) - slope(other)).norm() < 1e-4 * slope(other).norm()


def test_every_method_of_the_chapter_is_timed():
    assert {phase.method for phase in PHASES.values()} == set(METHODS) - OF_OTHERS


def test_a_row_without_rival_shows_none():
    assert markdown([Row("a", 2.0, float("nan"), float("nan"), None)]) == "| a | 2 |  |  |  |  |"
