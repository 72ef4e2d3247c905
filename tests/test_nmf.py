"""Locality preserving NMF: against a slow twin, hand-worked cases, scikit-learn's NMF, and its own objective."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import non_negative_factorization

from dcbook.clustering import fold_in, kmeans, locality_preserving_nmf, nmf
from dcbook.clustering.neighbors import neighbor_graph
from dcbook.methods import LPMF

K = 3


@pytest.fixture(scope="module")
def x():
    """30 samples of 7 counts from 3 topics, some of them 0."""
    random = np.random.default_rng(0)
    topics = random.random((K, 7)) ** 4
    return random.poisson(8 * random.dirichlet([0.3] * K, 30) @ topics + 0.2).astype(np.float64)


def divergence(a, b):
    return sum(p * np.log(p / q) - p + q if p else q for p, q in zip(np.ravel(a), np.ravel(b), strict=True))


def slow_objective(x, u, v, edges, lam):
    graph = sum(divergence(v[i], v[j]) + divergence(v[j], v[i]) for i, j in edges)
    return divergence(x, v @ u.T) + lam * graph


def slow_updates(x, u, v, edges, lam, updates):
    """The rules of GNMF_KL entry by entry, with dense solves."""
    laplacian = np.zeros((len(x), len(x)))
    for i, j in edges:
        laplacian[[i, j], [i, j]] += 1
        laplacian[[i, j], [j, i]] -= 1
    for _ in range(updates):
        x_hat, new = v @ u.T, np.empty_like(v)
        for k in range(K):
            y = [v[j, k] * sum(x[j, i] * u[i, k] / x_hat[j, i] for i in range(x.shape[1])) for j in range(len(x))]
            new[:, k] = np.linalg.solve(u[:, k].sum() * np.eye(len(x)) + lam * laplacian, y)
        v, x_hat, new = new, new @ u.T, np.empty_like(u)
        for k in range(K):
            for i in range(x.shape[1]):
                share = sum(v[j, k] * x[j, i] / x_hat[j, i] for j in range(len(x)))
                new[i, k] = u[i, k] * share / v[:, k].sum()
        u = new
    return u, v


def beginning(x):
    """U and V before the first update."""
    u = kmeans(x, K, n_init=10, max_iter=10, random_state=0).centers.T.numpy().clip(1e-10)
    u = u / np.linalg.norm(u, axis=0)
    return u, np.linalg.lstsq(u, x.T, rcond=None)[0].T.clip(1e-10)


@pytest.mark.parametrize("lam", [0, 1, 100])
def test_slow_twin(x, lam, monkeypatch):
    monkeypatch.setattr(nmf, "ACCURACY", 1e-10)
    edges = neighbor_graph(torch.as_tensor(x), 5).T.tolist()
    found = locality_preserving_nmf(x, K, lam=lam, max_iter=6, tol=0, random_state=0)
    u, v = slow_updates(x, *beginning(x), edges, lam, 6)
    np.testing.assert_allclose(found.v, v, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found.u, u, rtol=1e-5, atol=1e-8)
    assert found.objective[0] == pytest.approx(slow_objective(x, *beginning(x), edges, lam))
    assert found.objective[-1] == pytest.approx(slow_objective(x, u, v, edges, lam))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lam", [0, 0.1, 1, 10, 100, 10_000])
def test_objective_never_rises(x, lam, seed):
    samples = np.random.default_rng(seed).permuted(x, axis=1) if seed else x
    found = locality_preserving_nmf(samples, K, lam=lam, max_iter=80, tol=0, random_state=seed)
    steps = np.diff(found.objective)
    assert len(steps) > 1 and (steps <= 1e-10 * found.objective[0]).all(), steps.max()
    assert found.objective[-1] < 0.9 * found.objective[0]
    assert (found.u > 0).all() and (found.v > 0).all()


def test_a_step_that_would_raise_the_objective_is_halved(x, monkeypatch):
    """The step of V made nine times as long: as it is, it would raise the objective by far."""
    solve = nmf._solve

    def too_far(graph, sums, lam, y, v):
        return v + 9 * (solve(graph, sums, lam, y, v) - v)

    monkeypatch.setattr(nmf, "_solve", too_far)
    monkeypatch.setattr(nmf, "HALVINGS", 1)
    assert len(locality_preserving_nmf(x, K, lam=1, max_iter=30, tol=0, random_state=0).objective) < 30, "no step, stop"
    monkeypatch.setattr(nmf, "HALVINGS", 10)
    objective = locality_preserving_nmf(x, K, lam=1, max_iter=30, tol=0, random_state=0).objective
    assert len(objective) == 31 and (np.diff(objective) <= 0).all()


def test_without_the_graph_it_is_scikit_learns_nmf(x):
    found = locality_preserving_nmf(x, K, lam=0, max_iter=50, tol=0, random_state=0)
    u, v = beginning(x)
    theirs = {"solver": "mu", "beta_loss": "kullback-leibler", "init": "custom", "tol": 0, "max_iter": 50}
    v, ut, _ = non_negative_factorization(x, W=v, H=u.T.copy(), n_components=K, **theirs)
    assert found.objective[-1] == pytest.approx(divergence(x, v @ ut), rel=0.01)


def test_a_heavy_graph_makes_neighbors_alike(x):
    edges = neighbor_graph(torch.as_tensor(x), 5)

    def unlike(lam):
        v = locality_preserving_nmf(x, K, lam=lam, random_state=0).v
        return float((v[edges[0]] / v[edges[1]]).log().abs().mean())

    assert unlike(100) < 0.3 * unlike(1) < 0.3 * unlike(0)


def test_fold_in_worked_by_hand():
    """Parts without overlap: v is the mass of each part, whatever the rest of the samples."""
    u = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]])
    v = fold_in(torch.tensor([[2.0, 6.0, 10.0], [0.0, 0.0, 4.0]]), u)
    torch.testing.assert_close(v, torch.tensor([[2.0, 5.0], [0.0, 2.0]]))


def test_folding_in_is_as_close_as_the_factorization(x):
    model = LPMF(K, lam=0, random_state=0, device="cpu").fit(x)
    fitted, folded = (divergence(x, v @ model.components_) for v in (model.coefficients_, model.transform(x)))
    assert folded < 1.01 * fitted < 0.5 * divergence(x, np.tile(x.mean(0), (len(x), 1)))


def test_negative_samples_are_refused_and_rounding_is_not(x):
    model = LPMF(K, random_state=0, device="cpu")
    with pytest.raises(
        ValueError, match=r"Negative values in data passed to LPMF, .*the smallest is -1; .*MinMaxScaler"
    ):
        model.fit(x - 1)
    with pytest.raises(ValueError, match="Negative values"):
        model.fit(x).predict(-x)
    with pytest.raises(ValueError, match="negative numbers"):
        locality_preserving_nmf(x - 1, K)
    np.testing.assert_array_equal(model.predict(x - 1e-9), model.predict(x))


@pytest.mark.parametrize("change", [{"lam": -1}, {"n_neighbors": 0}, {"max_iter": 0}, {"tol": -1}])
def test_bad_settings_are_refused(change, x):
    with pytest.raises(ValueError, match="must hold, not"):
        LPMF(K, **change).fit(x)


def test_it_stops_when_little_is_won_and_the_history_tells(x):
    short, long = (LPMF(K, tol=tol, random_state=0, device="cpu").fit(x) for tol in (1e-2, 1e-6))
    assert 1 < len(short.history_) < len(long.history_)
    phases = [entry["phase"] for entry in short.history_]
    assert phases == ["factorization"] * (len(phases) - 1) + ["k-means"]
