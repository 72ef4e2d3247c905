"""What DeepCluster does with features: whiten, cluster from given centers, draw by cluster."""

from multiprocessing import get_context

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from torch import distributed

from dcbook.clustering.refine import means, random_points, refine
from dcbook.clustering.whitening import Whitening
from dcbook.distributed import Group
from dcbook.training.samplers import SAMPLERS, as_released, uniform_over_clusters, uniform_over_images


@pytest.fixture
def x():
    random = np.random.default_rng(0)
    return (random.standard_normal((6, 5))[random.integers(0, 6, 300)] + 0.4 * random.standard_normal((300, 5))).astype(
        np.float32
    )


def test_whitening_is_sklearns(x):
    skewed = x @ np.diag([9, 3, 1, 0.5, 0.2]).astype(np.float32) + 5
    ours = Whitening.fit(torch.from_numpy(skewed), 3)(torch.from_numpy(skewed)).numpy()
    theirs = normalize(PCA(3, whiten=True).fit_transform(skewed))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=2e-4)  # a direction's sign means nothing
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, rtol=1e-5)


def test_whitening_survives_constant_features_and_few_rows(x):
    x = torch.from_numpy(np.hstack([x, np.zeros((300, 2), np.float32)]))
    assert Whitening.fit(x, 7)(x).isfinite().all()
    assert Whitening.fit(x[:4], 7)(x).shape == (300, 4)
    assert Whitening.fit(torch.ones(9, 3), 2)(torch.ones(9, 3)).isfinite().all()
    flat = torch.randn(100, 3) * torch.tensor([1.0, 1.0, 0.0])
    assert Whitening.fit(flat, 3).projection.norm(dim=0).tolist() == pytest.approx([1, 1, 1e5**0.5], rel=0.3)
    for bad in (flat[:1], flat[0], flat / 0):
        with pytest.raises(ValueError, match=r"whitening needs .*vectors"):
            Whitening.fit(bad, 2)


def whiten_two_of_three(rank, x, path, out):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{path}/meeting", rank=rank, world_size=2)
    share = Group().share(3)
    out.put(Whitening.fit(x[share.start : share.stop], 2).projection.numpy())
    distributed.destroy_process_group()


def test_one_vector_in_a_process_is_enough_to_whiten_with_others(x, tmp_path):
    context = get_context("fork")
    out, x = context.Queue(), torch.from_numpy(x[:3])
    processes = [context.Process(target=whiten_two_of_three, args=(rank, x, tmp_path, out)) for rank in range(2)]
    for process in processes:
        process.start()
    parts = [out.get(timeout=60) for _ in processes]
    for process, part in zip(processes, parts, strict=True):
        process.join(60)
        np.testing.assert_allclose(part, Whitening.fit(x, 2).projection.numpy(), atol=1e-4)


@pytest.mark.parametrize("passes", [1, 4, 100])
def test_passes_are_lloyds(x, passes):
    start = x[:6].copy()
    theirs = KMeans(6, init=start, n_init=1, max_iter=passes, tol=0, algorithm="lloyd").fit(x)
    ours = refine(torch.from_numpy(x), torch.from_numpy(start), max_passes=passes)
    np.testing.assert_allclose(ours.centers.numpy(), theirs.cluster_centers_, atol=1e-5)
    direct = sum(((x[ours.labels == k] - x[ours.labels == k].mean(0)) ** 2).sum() for k in range(6))
    assert ours.inertia == pytest.approx(direct, rel=1e-5)
    assert ours.sizes.tolist() == np.bincount(ours.labels, minlength=6).tolist()


def test_tolerance_ends_early_and_costs_little(x):
    start, x = torch.from_numpy(x[:6]), torch.from_numpy(x)
    full, early = refine(x, start, max_passes=100), refine(x, start, max_passes=100, tol=0.01)
    assert early.passes < full.passes and full.inertia <= early.inertia <= 1.05 * full.inertia


def test_empty_clusters_are_filled_or_left(x):
    start = torch.from_numpy(np.vstack([x[:4], np.full((3, 5), 50, np.float32)]))
    x = torch.from_numpy(x)
    generator = torch.Generator().manual_seed(0)
    filled = refine(x, start, max_passes=3, generator=generator)
    assert (filled.sizes > 0).all() and int(filled.sizes.sum()) == 300
    left = refine(x, start, max_passes=3, repair=False)
    assert (left.sizes[4:] == 0).all() and torch.equal(left.centers[4:], start[4:])
    assert filled.inertia < left.inertia
    same = refine(torch.ones(9, 2), torch.ones(3, 2), generator=generator)  # equal points can't be parted
    assert same.sizes.tolist() == [9, 0, 0]


@pytest.mark.parametrize("passes", [1, 5])
def test_spherical_passes_go_by_the_cosine(x, passes):
    x = normalize(x)
    centers = x[:6]
    for _ in range(passes):
        nearest = [max(range(6), key=lambda k: sum(point * centers[k])) for point in x]
        centers = np.stack([np.sum(x[np.equal(nearest, k)], axis=0) for k in range(6)])
        centers = np.stack([center / np.sqrt(np.sum(center**2)) for center in centers])
    found = refine(torch.from_numpy(x), torch.from_numpy(x[:6]), max_passes=passes, spherical=True)
    np.testing.assert_allclose(found.centers.numpy(), centers, atol=1e-5)
    assert found.labels.tolist() == nearest and found.sizes.tolist() == np.bincount(nearest, minlength=6).tolist()
    assert found.inertia == pytest.approx(np.sum((x - centers[nearest]) ** 2), rel=1e-4)
    flat = refine(torch.from_numpy(x), torch.from_numpy(x[:6]), max_passes=passes)
    assert (flat.centers.norm(dim=1) < 0.99).any(), "means of points on the sphere lie within it"


def test_spherical_centers_of_empty_and_balanced_clusters_stay():
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    centers = torch.tensor([[1.0, 0.0], [-0.8, 0.6]])
    found = refine(x[:1], centers, max_passes=2, repair=False, spherical=True)
    assert torch.equal(found.centers, centers) and found.sizes.tolist() == [1, 0]
    found = refine(x[1:], centers[:1], max_passes=2, spherical=True)
    assert torch.equal(found.centers, centers[:1]) and found.inertia == pytest.approx(4)
    filled = refine(torch.cat([x, x + 0]), centers, max_passes=3, spherical=True, tol=0.1)
    assert (filled.sizes > 0).all() and torch.allclose(filled.centers.norm(dim=1), torch.ones(2))


def test_means_are_the_clusters_means(x):
    labels = torch.arange(300) % 4
    centers, sizes = means(torch.from_numpy(x), labels, 5)
    np.testing.assert_allclose(centers[1].numpy(), x[1::4].mean(0), rtol=1e-4, atol=1e-6)
    assert sizes.tolist() == [75, 75, 75, 75, 0] and not centers[4].any()


def test_random_points_are_points(x):
    x = torch.from_numpy(x)
    drawn = random_points(x, 50, 300, torch.Generator().manual_seed(1))
    rows = torch.cdist(drawn, x).argmin(1)
    assert torch.equal(x[rows], drawn) and len(rows.unique()) == 50


def skewed_labels():
    sizes = torch.tensor([1, 9, 90, 400, 1500])
    return torch.repeat_interleave(torch.arange(5), sizes)[
        torch.randperm(2000, generator=torch.Generator().manual_seed(0))
    ]


def test_uniform_over_clusters():
    labels = skewed_labels()
    rows, drawn = uniform_over_clusters(labels, torch.Generator().manual_seed(1))
    assert len(rows) == 2000 and torch.equal(drawn, labels[rows])
    assert (torch.bincount(drawn) - 400).abs().max() <= 2
    large = rows[drawn == 4]
    assert len(large.unique()) == len(large), "without replacement where there are enough"


def test_released_sampler_is_uniform_over_images():
    """The index mismatch of the released code (papers/deepcluster.md, 6.1): shares follow the sizes of the clusters."""
    labels = skewed_labels()
    sizes = torch.bincount(labels).double()
    rows, drawn = as_released(labels, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, labels[rows]), "an image keeps its own label"
    assert torch.corrcoef(torch.stack([torch.bincount(drawn, minlength=5).double(), sizes]))[0, 1] > 0.98


def test_uniform_over_images_takes_each_once():
    rows, _ = uniform_over_images(skewed_labels(), torch.Generator().manual_seed(1))
    assert torch.equal(rows.sort().values, torch.arange(2000))


@pytest.mark.parametrize("sampler", SAMPLERS.values())
def test_several_passes_in_one_draw(sampler):
    labels = skewed_labels()
    rows, drawn = sampler(labels, torch.Generator().manual_seed(1), passes=3)
    assert len(rows) == 6000 and torch.equal(drawn, labels[rows])
    if sampler is uniform_over_clusters:
        assert (torch.bincount(drawn) - 1200).abs().max() <= 2
    if sampler is uniform_over_images:
        assert torch.equal(torch.bincount(rows), torch.full((2000,), 3))


def test_empty_clusters_are_not_drawn_from():
    rows, drawn = uniform_over_clusters(torch.tensor([0, 0, 3, 3, 3]), torch.Generator().manual_seed(0))
    assert len(rows) == 5 and set(drawn.tolist()) == {0, 3}
