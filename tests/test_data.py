"""The Dataset and what samples of it keep; nothing here needs a file."""

import dataclasses
import errno
import hashlib
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from dcbook.data import NAMES, DataError, Dataset, load
from dcbook.data.files import Files
from dcbook.data.sampling import shares


@pytest.fixture
def toy():
    """1,000 images whose only pixels are their positions; classes of 500, 300 and 200."""
    images = np.arange(1000, dtype=np.uint32).view(np.uint8).reshape(1000, 1, 2, 2)
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [500, 300, 200]))
    return Dataset("toy", images, labels, ("a", "b", "c"), True, {"source": "made here"})


def positions(data):
    return np.ascontiguousarray(data.images).reshape(-1).view(np.uint32)


def largest_remainder(sizes, n):
    quotas = [Fraction(n * int(size), int(sum(sizes))) for size in sizes]
    counts = [int(q) for q in quotas]
    for k in sorted(range(len(sizes)), key=lambda k: (counts[k] - quotas[k], k))[: n - sum(counts)]:
        counts[k] += 1
    return counts


def test_digits_are_scikit_learns():
    data, reference = load("digits"), load_digits()
    assert data.images.shape == (1797, 1, 8, 8) and data.images.dtype == np.float32
    np.testing.assert_array_equal(data.images[:, 0] * 16, reference.images)
    np.testing.assert_array_equal(data.labels, reference.target)
    assert data.labels.dtype == np.int64 and data.original and data.n_classes == 10 and len(data) == 1797
    assert data.class_names == tuple("0123456789")
    # the same on every machine
    assert data.digest == "dc03189b4746b9956cbef3f3f059983e30dbf36fc76c971951ba57233a7c7071"


def test_tinted_digits_are_the_digits_in_colors_that_tell_nothing():
    data, gray = load("digits-rgb"), load_digits()
    assert data.images.shape == (1797, 3, 8, 8) and data.images.dtype == np.uint8
    assert data.original and data.n_classes == 10 and data.class_names == tuple("0123456789")
    np.testing.assert_array_equal(data.labels, gray.target)
    levels, pixels = gray.images.reshape(1797, 1, 64), data.images.reshape(1797, 3, 64).astype(int)
    by_level = np.take_along_axis(pixels, levels.argsort(2, kind="stable").repeat(3, 1), 2)
    assert (np.diff(by_level) >= 0).all(), "every channel grows with the gray level"
    assert pixels[(levels == 0).repeat(3, 1)].max() == 127 and pixels[(levels == 16).repeat(3, 1)].min() == 128
    ground = pixels.min(2)
    means = np.stack([ground[data.labels == k].mean(0) for k in range(10)])
    assert np.abs(means - ground.mean(0)).max() < 4 * ground.std() / np.sqrt(170), "the color tells the class"
    assert data.digest == "8195aba59ceccf0b233439d08291788f3ef95dbbe2a515ec23bc9aa58d69aed0"


def test_the_digest_is_over_form_and_values_alone(toy):
    by_hand = hashlib.sha256(b"|u1(1000, 1, 2, 2)" + toy.images.tobytes())
    by_hand.update(b"<i8(1000,)" + toy.labels.tobytes())
    assert toy.digest == by_hand.hexdigest()
    same = Dataset("another", toy.images.copy(), toy.labels.astype(np.int32))
    assert same.digest == toy.digest and not same.original
    pixel, label = toy.images.copy(), toy.labels.copy()
    pixel[17, 0, 1, 1] ^= 1
    label[17] = (label[17] + 1) % 3
    others = [(pixel, toy.labels), (toy.images, label), (toy.images.reshape(1000, 4, 1, 1), toy.labels)]
    others += [(toy.images[::-1], toy.labels[::-1])]
    digests = {Dataset("toy", *arrays).digest for arrays in others}
    assert len(digests) == 4 and toy.digest not in digests


def test_a_dataset_cannot_be_changed(toy):
    for array in (toy.images, toy.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        toy.name = "other"
    labels = toy.labels.copy()
    data = Dataset("toy", toy.images, labels)
    labels[:] = 0
    np.testing.assert_array_equal(data.labels, toy.labels)


GOOD = np.zeros((4, 1, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "names", "error", "message"),
    [
        (GOOD.astype(float), [0, 1, 0, 1], (), TypeError, "uint8 or float32, not float64"),
        (GOOD.tolist(), [0, 1, 0, 1], (), TypeError, "not list"),
        (GOOD[:, 0], [0, 1, 0, 1], (), ValueError, "NxCxHxW"),
        (GOOD[:0], [], (), ValueError, "none of them 0"),
        (GOOD.astype(np.float32) - 1, [0, 1, 0, 1], (), ValueError, r"\[0, 1\]"),
        (GOOD.astype(np.float32) + 1.5, [0, 1, 0, 1], (), ValueError, r"\[0, 1\]"),
        (GOOD.astype(np.float32) * np.nan, [0, 1, 0, 1], (), ValueError, r"\[0, 1\]"),
        (GOOD, [0, 1, 0], (), ValueError, r"shape \(4,\), not \(3,\)"),
        (GOOD, [0.0, 1, 0, 1], (), TypeError, "integers, not float64"),
        (GOOD, [True, False, True, True], (), TypeError, "integers, not bool"),
        (GOOD, [0, -1, 0, 1], (), ValueError, "smallest is -1"),
        (GOOD, [0, 1, 2, 1], ("a", "b"), ValueError, "label 2 has no name"),
    ],
)
def test_a_dataset_of_another_form_is_refused(images, labels, names, error, message):
    with pytest.raises(error, match=message):
        Dataset("toy", images, labels, names)


def test_volumes_and_default_names():
    data = Dataset("volumes", np.ones((3, 1, 4, 5, 6), np.float32), [2, 0, 1])
    assert data.n_classes == 3 and data.class_names == ("0", "1", "2")
    assert data.majority == np.unique(data.labels, return_counts=True)[1].max() / len(data)
    assert "3 images 1x4x5x6 float32, 3 classes" in repr(data)


@pytest.mark.parametrize("stratified", [True, False])
def test_a_sample_is_reproducible_ordered_and_without_repeats(toy, stratified):
    state = np.random.get_state()[1].copy()
    first, again, other = (toy.sample(101, seed, stratified) for seed in (3, 3, 4))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert first.digest == again.digest != other.digest
    kept = positions(first)
    assert len(kept) == 101 and (np.diff(kept.astype(int)) > 0).all()
    np.testing.assert_array_equal(first.labels, toy.labels[kept])
    assert toy.sample(1000, 0, stratified).digest == toy.digest


def test_a_stratified_sample_keeps_the_shares(toy):
    assert np.bincount(toy.sample(100, seed=1).labels).tolist() == [50, 30, 20]
    # quotas 3.5, 2.1, 1.4
    assert np.bincount(toy.sample(7, seed=1).labels).tolist() == [4, 2, 1]
    plain = [tuple(np.bincount(toy.sample(100, seed, stratified=False).labels)) for seed in range(5)]
    assert len(set(plain)) > 1


def test_every_image_is_drawn_equally_often(toy):
    drawn = np.bincount(np.concatenate([positions(toy.sample(250, seed)) for seed in range(200)]), minlength=1000)
    assert drawn.sum() == 50_000 and abs(drawn - 50).max() < 5.5 * np.sqrt(200 * 0.25 * 0.75)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any))
def test_shares_follow_the_largest_remainder(data, sizes):
    n = data.draw(st.integers(np.count_nonzero(sizes), sum(sizes)))
    counts, expected = shares(np.array(sizes), n), largest_remainder(sizes, n)
    assert counts.sum() == n and (counts <= sizes).all() and (counts[np.array(sizes) > 0] > 0).all()
    if all(e > 0 for e, size in zip(expected, sizes, strict=True) if size):
        assert counts.tolist() == expected


def test_a_border_is_black_and_told(toy):
    data = toy.padded(3)
    assert data.images.shape == (1000, 1, 8, 8) and data.images.dtype == np.uint8 and data.original
    np.testing.assert_array_equal(data.images[:, :, 3:5, 3:5], toy.images)
    assert data.images.sum() == toy.images.sum() and data.digest != toy.digest
    assert data.provenance["notes"] == ["a black border of 3 pixels on every side"]
    assert load("digits", padding=4, subset=50).digest == load("digits").padded(4).sample(50).digest
    features = Dataset("features", np.zeros((4, 2), np.float32), np.zeros(4, int))
    for samples, width, error in ((toy, 0, ValueError), (features, 1, ValueError), (toy, 1.5, TypeError)):
        with pytest.raises(error, match="width"):
            samples.padded(width)


def test_noise_is_normal_clipped_and_told(toy):
    gray = Dataset("gray", np.full((50, 1, 40, 40), 0.5, np.float32), np.zeros(50, int))
    data = gray.noisy(0.1, seed=3)
    assert data.images.std() == pytest.approx(0.1, rel=0.02) and data.images.mean() == pytest.approx(0.5, abs=0.002)
    assert data.digest == gray.noisy(0.1, seed=3).digest != gray.noisy(0.1).digest
    wide = gray.noisy(5.0).images
    assert (wide.min(), wide.max()) == (0, 1) and ((wide == 0) | (wide == 1)).mean() > 0.9
    loaded = load("digits", subset=50, noise=0.2)
    assert loaded.digest == load("digits", subset=50).noisy(0.2).digest and loaded.images.dtype == np.float32
    assert loaded.provenance["notes"][-1] == "normal noise of sd 0.2, clipped to [0, 1], seed 0"
    assert abs(toy.noisy(1e-6).images - toy.images / np.float32(255)).max() < 1e-5
    features = Dataset("features", np.zeros((4, 2), np.float32), np.zeros(4, int))
    for samples, sd, error in ((gray, 0, ValueError), (gray, np.nan, ValueError), (features, 1, ValueError)):
        with pytest.raises(error, match="noise is for images"):
            samples.noisy(sd)
    with pytest.raises(TypeError, match="sd must be"):
        gray.noisy("much")


def test_imbalance_is_linear_from_r_to_one():
    labels = np.tile(np.arange(5), 4000)
    data = Dataset("even", np.zeros((20_000, 1, 1, 1), np.uint8), labels)
    for r in (0.1, 0.5):
        counts = np.bincount(data.imbalanced(r, seed=2).labels)
        rates = np.array([r + (1 - r) * k / 4 for k in range(5)])
        assert counts[-1] == 4000
        assert (abs(counts - 4000 * rates) <= 5 * np.sqrt(4000 * rates * (1 - rates))).all()
    assert data.imbalanced(1.0).digest == data.digest


def test_imbalance_is_reproducible_and_ordered(toy):
    first, again, other = (toy.imbalanced(0.3, seed) for seed in (3, 3, 4))
    assert first.digest == again.digest != other.digest
    assert (np.diff(positions(first).astype(int)) > 0).all()
    np.testing.assert_array_equal(first.labels, toy.labels[positions(first)])


def test_provenance_tells_what_was_sampled(toy):
    data = toy.imbalanced(0.5, seed=1).sample(60, seed=2)
    imbalanced, sample = json.loads(json.dumps(data.provenance))["sampling"]
    assert imbalanced["retention"] == 0.5 and imbalanced["seed"] == 1
    assert sample == {
        "kind": "sample",
        "n": 60,
        "stratified": True,
        "seed": 2,
        "per_class": np.bincount(data.labels).tolist(),
    }
    assert toy.provenance == {"source": "made here"} and data.original and data.n_classes == 3
    assert "retention 0.5" in data.summary() and "made here" in data.summary()


def test_a_class_that_a_sample_left_empty_still_counts(toy):
    assert toy.sample(1, stratified=False).n_classes == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: d.sample(1001), ValueError, "1,001 images asked for, and there are only 1,000"),
        (lambda d: d.sample(2), ValueError, "n = 2 can't hold one image of each of the 3 classes"),
        (lambda d: d.sample(0), ValueError, "n must be 1 or more"),
        (lambda d: d.sample(10.0), TypeError, "n must be an integer"),
        (lambda d: d.sample(True), TypeError, "n must be an integer"),
        (lambda d: d.sample(10, seed=-1), ValueError, "seed must be 0 or more"),
        (lambda d: d.sample(10, seed="0"), TypeError, "seed must be an integer"),
        (lambda d: d.sample(10, stratified=1), TypeError, "stratified must be True or False"),
        (lambda d: d.imbalanced(0), ValueError, r"must lie in \(0, 1\], not 0"),
        (lambda d: d.imbalanced(1.01), ValueError, r"must lie in \(0, 1\]"),
        (lambda d: d.imbalanced(float("nan")), ValueError, r"must lie in \(0, 1\]"),
        (lambda d: d.imbalanced("0.5"), TypeError, r"number in \(0, 1\]"),
        (lambda d: d.imbalanced(0.5, seed=0.5), TypeError, "seed must be an integer"),
        (lambda d: Dataset("one", d.images, d.labels * 0).imbalanced(0.5), ValueError, "two classes"),
    ],
)
def test_bad_samples_are_refused(toy, call, error, message):
    with pytest.raises(error, match=message):
        call(toy)


def test_load_samples_as_the_methods_do():
    digits = load("digits")
    assert load("digits", subset=200, seed=5).digest == digits.sample(200, 5).digest
    assert load("digits", subset=200, stratified=False).digest == digits.sample(200, 0, False).digest
    both = load("digits", retention=0.2, subset=200, seed=5)
    assert both.digest == digits.imbalanced(0.2, 5).sample(200, 5).digest


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("minst", {}, ValueError, "did you mean 'mnist'.*usps"),
        ("nothing like it", {}, ValueError, "There are: digits"),
        (None, {}, TypeError, "must be a string"),
        ("usps", {"root": 3}, TypeError, "root must be a path"),
        ("usps", {"subset": 0}, ValueError, "n must be 1 or more"),
        ("usps", {"subset": "all"}, TypeError, "n must be an integer"),
        ("usps", {"retention": 2}, ValueError, "retention rate r"),
        ("usps", {"stratified": "yes"}, TypeError, "stratified"),
        ("usps", {"seed": -3}, ValueError, "seed"),
        ("usps", {"download": "no"}, TypeError, "download"),
        ("usps", {"image_size": 32}, ValueError, "imagenet10 only"),
        ("imagenet10", {"image_size": 4}, ValueError, "8..512"),
        ("digits", {"subset": 5000}, ValueError, "only 1,797"),
    ],
)
def test_bad_arguments_are_refused_before_a_file_is_looked_for(tmp_path, name, options, error, message):
    with pytest.raises(error, match=message) as caught:
        load(name, **{"root": tmp_path} | options)
    assert not isinstance(caught.value, OSError)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EIO])
def test_a_full_disk_is_no_damaged_file(tmp_path, code):
    (tmp_path / "file").write_bytes(b"whole")

    def decode(path):
        raise OSError(code, "the machine's fault")

    with pytest.raises(OSError, match="the machine's fault") as caught:
        Files("toy", tmp_path).read(decode, ("file", None))
    assert not isinstance(caught.value, DataError)


@pytest.mark.parametrize(("error", "raised"), [(ImportError("x"), ImportError), (OSError("x"), DataError)])
def test_a_missing_package_is_no_damaged_file_but_what_cannot_be_read_is(tmp_path, error, raised):
    (tmp_path / "file").write_bytes(b"whole")

    def decode(path):
        raise error

    with pytest.raises(raised):
        Files("toy", tmp_path).read(decode, ("file", None))


def test_the_names_are_the_issues():
    wanted = "digits mnist mnist-test fashion-mnist fashion-mnist-test 2mnist usps cifar10 cifar100-20 stl10 "
    wanted += "imagenet10 breastmnist pneumoniamnist bloodmnist vesselmnist3d"
    assert set(wanted.split()) <= set(NAMES)


def test_arcs_are_half_circles_that_reach_into_each_other():
    data = load("arcs")
    assert data.images.shape == (800, 1, 1, 2) and data.images.dtype == np.float32 and data.n_classes == 4
    assert np.bincount(data.labels).tolist() == [200] * 4 and data.images.min() == 0 and data.images.max() == 1
    points, scale = data.images.reshape(-1, 2).astype(float), None
    for k in range(4):
        # the circle through the arc, by least squares: x² + y² = 2ax + 2by + c
        arc = points[data.labels == k]
        (a, b, c), *_ = np.linalg.lstsq(np.c_[2 * arc, np.ones(200)], (arc**2).sum(1), rcond=None)
        radius = np.sqrt(c + a**2 + b**2)
        scale = scale or radius
        distances = np.linalg.norm(arc - [a, b], axis=1)
        assert radius == pytest.approx(scale, rel=0.03) and distances.std() / radius == pytest.approx(0.03, abs=0.006)
        assert (np.sign(arc[:, 1] - b) == (1 if k % 2 == 0 else -1)).mean() > 0.95
    assert load("arcs").digest == data.digest == ("2e291c8a91c4c68bd8a148bec3bd77da436158de665c93089db4b8ef299fdc27")
