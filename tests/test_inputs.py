"""What a fit reads: numbers without loss, images with their channels first, and a clear word about all else."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score
from torch.utils.data import DataLoader, TensorDataset

from dcbook.clustering import kmeans
from dcbook.data import Dataset, ImageFile, ImageFolder
from dcbook.methods import DCSS, LPMF, LSSC, AEKMeans, KMeans, MiniBatchKMeans, Pretraining, load_model
from dcbook.training.inputs import batches, stream, updates_in

RECIPE = Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=10)
SECONDS = (1_700_000_000 + np.r_[np.arange(10.0), 60 + np.arange(10.0)])[:, None]  # two bursts, a minute apart
SHALLOW = pytest.mark.parametrize("method", [KMeans, LSSC, LPMF])


@SHALLOW
@pytest.mark.parametrize("kind", [np.float64, np.int64])
def test_float64_is_kept_where_float32_loses_the_clusters(method, kind, tmp_path):
    model = method(2, random_state=0).fit(SECONDS.astype(kind))
    model.save(tmp_path / "model")
    for labels in (model.labels_, model.predict(SECONDS), load_model(tmp_path / "model").predict(SECONDS)):
        assert sorted([labels[:10].tolist(), labels[10:].tolist()]) == [[0] * 10, [1] * 10]


def test_kmeans_on_seconds_is_that_of_scikit_learn():
    ours, theirs = (cls(2, n_init=5, random_state=0).fit(SECONDS) for cls in (KMeans, sklearn.cluster.KMeans))
    np.testing.assert_allclose(np.sort(ours.cluster_centers_, 0), np.sort(theirs.cluster_centers_, 0), rtol=1e-15)
    np.testing.assert_array_equal(ours.transform(SECONDS), abs(SECONDS - ours.cluster_centers_.T))
    assert ours.inertia_ == pytest.approx(165)
    assert kmeans(SECONDS.astype(np.int64), 2, random_state=0).inertia == pytest.approx(165)


@SHALLOW
def test_what_float32_holds_is_computed_in_float32(method):
    x = load_iris().data
    wide, narrow = (method(3, random_state=0).fit(each) for each in (x, x.astype(np.float32)))
    assert wide.cluster_centers_.dtype == np.float32
    np.testing.assert_array_equal(wide.cluster_centers_, narrow.cluster_centers_)
    np.testing.assert_array_equal(wide.predict(x), narrow.labels_ if method is not LPMF else narrow.predict(x))


def test_an_outlier_hides_no_precision():
    """Two bursts of times, and one that is missing: 0."""
    random = np.random.default_rng(0)
    x = np.r_[0.0, 1.7e9 + np.repeat([0, 60], 10) + random.normal(size=20)][:, None]
    labels = KMeans(3, random_state=0).fit(x).labels_
    assert sorted(np.bincount(labels)) == [1, 10, 10] and len(set(labels[1:11])) == 1


def test_sparse_samples_are_no_outliers():
    """Most entries are 0, as in counts of words; float32 holds the others well, and nothing is said."""
    random = np.random.default_rng(0)
    x = np.where(random.random((60, 40)) < 0.05, random.random((60, 40)), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        AEKMeans(2, start=RECIPE, random_state=0, device="cpu").fit(x)
    assert KMeans(2, random_state=0).fit(x).cluster_centers_.dtype == np.float32


@pytest.mark.parametrize("scale", [1e-27, 1e-12, 1e12, 1e20])
def test_numbers_of_any_size_are_told_apart(scale):
    x = load_iris().data
    labels = KMeans(3, random_state=0).fit(x * scale).labels_
    assert adjusted_rand_score(labels, KMeans(3, random_state=0).fit(x).labels_) > 0.95


def test_pandas_own_bytes_are_scaled_as_bytes_are():
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 256, (20, 3), dtype=np.uint8))
    model = KMeans(2, random_state=0).fit(frame)
    np.testing.assert_array_equal(model.predict(frame.astype("UInt8")), model.labels_)


@settings(max_examples=30, deadline=None)
@given(st.integers(-(10**12), 10**12), st.floats(0.5, 1e3))
def test_a_shift_moves_no_label(shift, scale):
    x = scale * np.r_[np.arange(5.0), 20 + np.arange(5.0)][:, None]
    np.testing.assert_array_equal(*(KMeans(2, random_state=0).fit(each).labels_ for each in (x, x + shift)))


def test_networks_warn_of_what_float32_loses():
    model = AEKMeans(2, start=RECIPE, device="cpu")
    with pytest.warns(UserWarning, match="networks compute in float32.*subtract their mean"):
        model.fit(SECONDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(SECONDS - SECONDS.mean())


@pytest.mark.parametrize("method", [KMeans(2), AEKMeans(2, start=RECIPE)])
def test_numbers_too_large_and_dates_are_refused(method):
    with pytest.raises(ValueError, match="infinity"):
        method.fit(np.array([[np.inf], [1.0], [2.0]]))
    with pytest.raises(TypeError, match=r"x must hold numbers, not datetime64\[s\]"):
        method.fit(SECONDS.astype(np.int64).astype("datetime64[s]"))


@pytest.mark.parametrize("method", [KMeans(2), AEKMeans(2, start=RECIPE, device="cpu")])
def test_new_images_of_another_shape_with_as_many_numbers_are_refused(method):
    x = np.random.default_rng(0).random((20, 1, 4, 9), dtype=np.float32)
    labels = method.fit(x).predict(x)
    np.testing.assert_array_equal(method.predict(x[:, 0]), labels)
    np.testing.assert_array_equal(method.predict(x.reshape(20, 36)), labels)
    for other in ((1, 9, 4), (1, 6, 6), (9, 2, 2)):
        with pytest.raises(ValueError, match=r"x holds samples of shape .* was fitted to \(1, 4, 9\)"):
            method.predict(x.reshape(20, *other))


def test_numbers_of_numpy_are_taken_and_words_for_yes_are_not():
    x = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    sized = AEKMeans(2, start=Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=np.int64(5)), device="cpu")
    assert sized.fit(x).labels_.shape == (20,)
    settings = {"one_update": True, "phase1_epochs": 1, "phase2_epochs": 0, "start": RECIPE, "device": "cpu"}
    assert type(DCSS(2, batch_size=np.int64(5), **settings).fit(x).batch_size_) is int
    with pytest.raises(ValueError, match="one_update of DCSS must be True or False, not 'no'"):
        DCSS(2, **settings | {"one_update": "no"}).fit(x)


@pytest.mark.parametrize(
    ("method", "name"), [(MiniBatchKMeans(2, reassignment_ratio=True), "reassignment_ratio"), (DCSS(2, m=True), "m")]
)
def test_a_bool_is_no_number(method, name):
    with pytest.raises(ValueError, match=f"{name} of {type(method).__name__} must be a number, not True"):
        method.fit(np.random.default_rng(0).random((20, 3)))


@pytest.mark.parametrize("method", [KMeans(2), AEKMeans(2, start=RECIPE, device="cpu")])
def test_masked_values_are_refused(method):
    x = np.ma.masked_array(np.random.default_rng(0).random((20, 3)), mask=False)
    labels = method.fit(x).labels_
    np.testing.assert_array_equal(method.predict(x), labels)
    x[4, 1] = np.ma.masked
    for call in (method.fit, method.predict):
        with pytest.raises(ValueError, match=r"x has masked values; fill them, for example with x\.filled\(0\)"):
            call(x)


def test_bfloat16_is_read_without_loss():
    x = torch.rand(20, 3, generator=torch.Generator().manual_seed(0)).bfloat16()
    of_half, of_float = (KMeans(2, random_state=0).fit(each) for each in (x, x.float()))
    np.testing.assert_array_equal(of_half.cluster_centers_, of_float.cluster_centers_)


def test_numbers_beyond_float32_are_refused_by_networks_alone():
    x = np.array([[1e40], [2e40], [9e40], [1e41]])
    assert sorted(np.bincount(KMeans(2, random_state=0).fit(x).labels_)) == [2, 2]
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="too large for dtype"):
        AEKMeans(2, start=Pretraining(batch_size=2)).fit(x)


def test_a_frame_of_bytes_is_scaled_as_an_array_of_bytes():
    x = np.random.default_rng(0).integers(0, 256, (30, 4), dtype=np.uint8)
    frame = pd.DataFrame(x, columns=list("abcd"))
    for method in (KMeans(2, random_state=0), AEKMeans(2, start=RECIPE, random_state=0, device="cpu")):
        of_array, of_frame = (method.fit(each).transform(each) for each in (x, frame))
        np.testing.assert_array_equal(of_array, of_frame)


@pytest.mark.parametrize("method", [KMeans(2), AEKMeans(2, start=RECIPE, device="cpu")])
def test_names_of_columns_are_checked_after_loading(method, tmp_path):
    frame = pd.DataFrame(load_iris().data, columns=["a", "b", "c", "d"])
    method.fit(frame).save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.feature_names_in_.dtype == object and list(again.feature_names_in_) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(again.predict(frame), method.predict(frame))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "c", "d"]])
    method.fit(frame.to_numpy()).save(tmp_path / "model")
    assert not hasattr(load_model(tmp_path / "model"), "feature_names_in_")


@pytest.mark.parametrize("shape", [(48, 32, 32, 3), (20, 28, 28, 1), (20, 9, 8, 4), (6, 8, 8, 8, 1)])
def test_channels_last_are_refused(shape, tmp_path):
    first = np.moveaxis(np.zeros(shape, np.uint8), -1, 1)
    with pytest.raises(ValueError, match=r"channels last.*numpy.moveaxis\(x, -1, 1\)") as error:
        KMeans(2).fit(np.zeros(shape, np.uint8))
    assert str(first.shape) in str(error.value)
    model = KMeans(1).fit(first)
    with pytest.raises(ValueError, match="channels last"):
        model.predict(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="channels last"):
        Dataset("mine", np.zeros(shape, np.uint8), np.zeros(len(shape), int).repeat(len(first))[: len(first)])
    if len(shape) == 4:
        np.save(tmp_path / "images.npy", np.zeros(shape, np.uint8))
        with pytest.raises(ValueError, match=r"images\.npy.*channels last"):
            ImageFile(tmp_path / "images.npy")


@pytest.mark.parametrize("shape", [(6, 3, 32, 3), (6, 1, 4, 4), (6, 64, 4, 4), (6, 512, 1, 1), (6, 8, 8), (6, 2, 8, 3)])
def test_shapes_that_may_have_channels_first_are_taken(shape):
    assert KMeans(1).fit(np.random.default_rng(0).random(shape)).input_shape_ == shape[1:]


class Pairs(torch.utils.data.Dataset):
    def __getitem__(self, i):
        return torch.zeros(2), 0

    def __len__(self):
        return 5


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            Dataset("mine", np.zeros((4, 1, 2, 2), np.uint8), np.arange(4)),
            r"not Dataset; pass its images, data\.images",
        ),
        (TensorDataset(torch.zeros(5, 2)), r"not TensorDataset; pass its samples, dataset\.tensors\[0\]"),
        (DataLoader(Pairs()), r"not DataLoader; pass all samples as one tensor, for example torch\.cat"),
        (Pairs(), r"not Pairs; pass all samples as one tensor, for example torch\.stack"),
        ("photos", r"not str; pass an array .*, such as dcbook\.data\.pictures\.read_pictures reads"),
        (None, "not NoneType; pass an array"),
        (iter([1.0]), "not list_iterator; pass an array"),
    ],
)
def test_what_holds_no_array_is_refused_with_what_to_pass(x, message):
    for method in (KMeans(2), AEKMeans(2, start=RECIPE)):
        with pytest.raises(TypeError, match=message):
            method.fit(x)


def test_images_on_disk_are_for_deepcluster(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((4, 1, 8, 8), np.uint8))
    with pytest.raises(TypeError, match="not ImageFile; only DeepCluster reads images from disk"):
        KMeans(2).fit(ImageFile(tmp_path / "images.npy"))


def save_picture(path, values):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def test_pictures_of_16_bits_keep_their_grays(tmp_path):
    ramp = np.tile(np.arange(16, dtype=np.uint16) * 4096 + 255, (16, 1))
    save_picture(tmp_path / "a" / "deep.png", ramp)
    save_picture(tmp_path / "a" / "plain.png", (ramp >> 8).astype(np.uint8))
    deep, plain = ImageFolder(tmp_path, size=16, workers=0)
    assert torch.equal(deep, plain) and deep.min() == 0 and deep.max() == 240
    save_picture(tmp_path / "a" / "floats.tif", np.zeros((16, 16), np.float32))
    with pytest.raises(OSError, match=r"floats\.tif.*neither 8 nor 16 bits"):
        ImageFolder(tmp_path, size=16, workers=0)[1]


def test_names_that_are_no_utf_8_are_names_too(tmp_path):
    for name in (b"caf\xe9.png", "café.png".encode()):
        save_picture(tmp_path / "a" / os.fsdecode(name), np.zeros((16, 16), np.uint8))
    images = ImageFolder(tmp_path, size=16, workers=0)
    assert len(list(images)) == 2 and len(images.digest) == 64


def test_hidden_and_empty_folders_are_no_classes(tmp_path):
    gray = np.zeros((16, 16), np.uint8)
    for name in ("b/1.png", "b/deeper/2.PNG", "a/0.jpg", ".ipynb_checkpoints/0.png"):
        save_picture(tmp_path / name, gray)
    for name in ("a/._0.jpg", "a/notes.txt", "b/.hidden/3.png", "texts/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    images = ImageFolder(tmp_path, size=16, workers=0)
    assert images.class_names == ("a", "b") and images.labels.tolist() == [0, 1, 1] and len(list(images)) == 3


@pytest.mark.parametrize("content", [b"", b"no array", "cut", "archive"], ids=["empty", "text", "cut", "npz"])
def test_a_file_that_holds_no_array_is_named(tmp_path, content):
    path = tmp_path / "images.npy"
    images = np.zeros((5, 3, 8, 8), dtype=np.uint8)
    if content == "archive":
        with open(path, "wb") as file:
            np.savez(file, images)
    elif content == "cut":
        np.save(path, images)
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"images\.npy is no whole \.npy file"):
        ImageFile(path)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_updates_are_batches(size):
    for n in range(1, 10):
        parts = [len(part) for part in batches(n, size, stream(0, "batches"), torch.device("cpu"))]
        assert updates_in(n, size) == len(parts) and sum(parts) == n and (1 not in parts[-1:] or n == 1)
