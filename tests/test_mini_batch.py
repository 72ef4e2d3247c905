"""k-means in mini-batches: by hand, against Sculley's algorithm sample by sample, in one process and in two."""

from multiprocessing import get_context

import numpy as np
import pytest
import torch
from torch import distributed

from dcbook.clustering.mini_batch import refine_in_batches
from dcbook.clustering.refine import refine
from dcbook.distributed import Group


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def x():
    random = np.random.default_rng(0)
    centers = random.standard_normal((6, 5))[random.integers(0, 6, 300)]
    return torch.from_numpy((centers + 0.4 * random.standard_normal((300, 5))).astype(np.float32))


def test_two_passes_by_hand():
    """All points in one batch: the means of 0, 2 and of 9, after a pass; the pass at the end moves nothing."""
    x, start = torch.tensor([[0.0], [2.0], [9.0]]), torch.tensor([[1.5], [6.0]])
    found = refine_in_batches(x, start, 3, 3, max_passes=2, generator=drawn())
    assert found.centers.flatten().tolist() == [1, 9] and found.labels.tolist() == [0, 0, 1]
    assert (found.inertia, found.passes, found.sizes.tolist()) == (2, 2, [2, 1])
    assert start.flatten().tolist() == [1.5, 6], "the given centers do not change"


def test_a_center_is_the_mean_of_all_points_that_it_was_given():
    """In batches of one, 4 goes to the first center and takes 7 along, unless 7 came before and went to the second."""
    x, start, seen = torch.tensor([[0.0], [4.0], [7.0]]), torch.tensor([[0.9], [12.5]]), set()
    for seed in range(9):
        order = torch.randperm(3, generator=drawn(seed)).tolist()
        found = refine_in_batches(x, start, 1, 3, max_passes=2, repair=False, generator=drawn(seed))
        parted = order.index(2) < order.index(1)
        assert found.centers.flatten().tolist() == pytest.approx([0, 5.5] if parted else [11 / 3, 12.5]), order
        seen.add(parted)
    assert seen == {True, False}
    assert refine(x, start, max_passes=9).centers.flatten().tolist() == [2, 7], "Lloyd's algorithm finds neither"


def by_sculley(x, centers, size, passes, generator):
    """Algorithm 1 of the paper, in passes over the points: a step of 1 / count for each sample."""
    centers, counts = centers.astype(np.float64), np.zeros(len(centers))
    for _ in range(passes):
        order = torch.randperm(len(x), generator=generator).numpy()
        for begin in range(0, len(x), size):
            batch = x[order[begin : begin + size]]
            nearest = ((batch[:, None] - centers) ** 2).sum(2).argmin(1)
            for sample, k in zip(batch, nearest, strict=True):
                counts[k] += 1
                centers[k] += (sample - centers[k]) / counts[k]
    return centers


@pytest.mark.parametrize(("size", "passes"), [(1, 1), (32, 1), (32, 4), (300, 2), (1000, 2)])
def test_batches_are_sculleys(x, size, passes):
    expected = by_sculley(x.double().numpy(), x[:6].numpy(), size, passes, drawn(3))
    ours = refine_in_batches(x, x[:6], size, 300, max_passes=passes + 1, generator=drawn(3))
    at_the_end = refine(x, torch.from_numpy(expected).float(), max_passes=1)
    np.testing.assert_array_equal(ours.labels.numpy(), at_the_end.labels.numpy())
    torch.testing.assert_close(ours.centers, at_the_end.centers)
    assert ours.passes == passes + 1 and ours.inertia == pytest.approx(at_the_end.inertia)


def test_it_ends_when_a_pass_gains_little(x):
    whole, early = (refine_in_batches(x, x[:6], 32, 300, max_passes=60, tol=t, generator=drawn()) for t in (0.0, 0.05))
    lloyd = refine(x, x[:6], max_passes=60)
    assert 3 <= early.passes < whole.passes <= 60
    assert whole.inertia < 1.02 * lloyd.inertia and early.inertia < 1.1 * lloyd.inertia


def test_one_pass_is_one_of_lloyds(x):
    ours, lloyd = refine_in_batches(x, x[:6], 32, 300, max_passes=1), refine(x, x[:6], max_passes=1)
    assert torch.equal(ours.centers, lloyd.centers) and ours.passes == 1


def test_empty_clusters_are_filled_or_left(x):
    start = torch.cat([x[:4], torch.full((3, 5), 50.0)])
    filled, left = (
        refine_in_batches(x, start, 32, 300, max_passes=3, repair=repair, generator=drawn()) for repair in (True, False)
    )
    assert (filled.sizes > 0).all() and int(filled.sizes.sum()) == 300
    assert (left.sizes[4:] == 0).all() and torch.equal(left.centers[4:], start[4:])


def part_of_two(rank, x, path, out):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{path}/meeting", rank=rank, world_size=2)
    group = Group()
    share = group.share(len(x))
    mine = x[share.start : share.stop]
    found = refine_in_batches(mine, x[:9], 7, len(x), max_passes=4, generator=drawn(5), group=group)
    out.put((rank, found.labels.numpy(), found.centers.numpy(), found.inertia))
    distributed.destroy_process_group()


def test_two_processes_find_what_one_finds(x, tmp_path):
    """In batches of 7 a process often holds few points of a batch, and sometimes none."""
    context = get_context("fork")
    out = context.Queue()
    processes = [context.Process(target=part_of_two, args=(rank, x, tmp_path, out)) for rank in range(2)]
    for process in processes:
        process.start()
    parts = sorted((out.get(timeout=60) for _ in processes), key=lambda part: part[0])
    for process in processes:
        process.join(60)
    alone = refine_in_batches(x, x[:9], 7, len(x), max_passes=4, generator=drawn(5))
    np.testing.assert_array_equal(np.concatenate([labels for _, labels, _, _ in parts]), alone.labels.numpy())
    for _, _, centers, inertia in parts:
        np.testing.assert_allclose(centers, alone.centers.numpy(), atol=1e-5)
        assert inertia == pytest.approx(alone.inertia, rel=1e-5)
