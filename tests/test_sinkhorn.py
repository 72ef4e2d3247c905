"""Sinkhorn's codes: a slow twin, their sums in the limit, hand-worked and extreme scores."""

import math

import pytest
import torch

from dcbook.clustering import sinkhorn


def cosines(b, k, seed=0):
    return 2 * torch.rand(b, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_slow_twin(shape, iterations):
    """Exponentials scaled entry by entry: columns to 1/K, then rows to 1/B, as released; at last rows to 1."""
    b, k = shape
    scores = cosines(b, k)
    q = [[math.exp(float(s) / 0.05) for s in row] for row in scores]
    for _ in range(iterations):
        for j in range(k):
            total = sum(q[i][j] for i in range(b))
            for i in range(b):
                q[i][j] /= total * k
        for i in range(b):
            total = sum(q[i])
            q[i] = [value / (total * b) for value in q[i]]
    q = [[value / sum(row) for value in row] for row in q]
    torch.testing.assert_close(sinkhorn(scores, 0.05, iterations), torch.tensor(q, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(60, 4), (4, 60)])
def test_sums_are_equal_in_the_limit_and_rows_always(shape):
    b, k = shape
    scores = cosines(b, k) + torch.linspace(0, 0.5, k, dtype=torch.float64)  # the last prototypes are near to all
    spread = []
    for iterations in (0, 3, 2000):
        q = sinkhorn(scores, iterations=iterations)
        torch.testing.assert_close(q.sum(1), torch.ones(b, dtype=torch.float64))
        spread.append((q.sum(0) * k / b - 1).abs().max().item())
    assert spread[0] > 1.5 * spread[1] and spread[1] > 100 * spread[2] and spread[2] < 1e-3


def test_by_hand():
    # both samples prefer the first prototype, the first one less: the second prototype falls to it
    scores = torch.tensor([[0.5, 0.4], [0.9, 0.4]])
    q = sinkhorn(scores, eps=0.05, iterations=2000)
    torch.testing.assert_close(q.sum(0), torch.ones(2))
    # [[p, 1 - p], [1 - p, p]] has the odds (p / (1 - p))² = exp((.5 - .4 - .9 + .4) / .05)
    torch.testing.assert_close(q[0, 0], torch.tensor(-4.0).sigmoid())
    torch.testing.assert_close(sinkhorn(torch.ones(5, 4)), torch.full((5, 4), 0.25))


def test_extreme_scores():
    """float32: as exponentials these overflow, and the last column and the first row vanish."""
    scores = torch.tensor([[-900.0, -901.0, -1e6], [500.0, 499.9, -1e6], [30.0, 30.2, -1e6]])
    q = sinkhorn(scores)
    torch.testing.assert_close(q.sum(1), torch.ones(3))
    torch.testing.assert_close(sinkhorn(scores.double()), q.double(), atol=1e-2, rtol=0)
    shifted = sinkhorn(cosines(9, 4).float() * 100 + 3)
    torch.testing.assert_close(shifted, sinkhorn(cosines(9, 4) * 100).float(), atol=1e-2, rtol=0)


def test_no_gradient_and_bad_input():
    assert not sinkhorn(torch.rand(3, 2, requires_grad=True)).requires_grad
    for bad in (torch.rand(3), torch.tensor([[0.0, math.nan]]), torch.tensor([[0.0, math.inf]])):
        with pytest.raises(ValueError, match="scores must be a matrix of finite numbers"):
            sinkhorn(bad)
    for bad in ({"eps": 0}, {"iterations": -1}):
        with pytest.raises(ValueError, match="eps must be above 0 and iterations at least 0"):
            sinkhorn(torch.rand(3, 2), **bad)
