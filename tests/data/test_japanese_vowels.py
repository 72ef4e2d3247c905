"""Japanese Vowels from a package's folder: the format .ts by hand, a package made up, and what is said without one."""

import sys

import numpy as np
import pytest

from dcbook.data import DataError, MissingDataError, load
from dcbook.data.japanese_vowels import FOLDER, parsed, resampled


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package "sktime" that fails when it is imported, with 270 and 370 made-up utterances; its folder."""
    folder = tmp_path / "sktime" / FOLDER
    folder.mkdir(parents=True)
    (tmp_path / "sktime/__init__.py").write_text("raise RuntimeError('the package was run')\n")
    random = np.random.default_rng(0)
    for part, n in {"TRAIN": 270, "TEST": 370}.items():
        lines = ["# made up", "@problemName JapaneseVowels", "@data"]
        for i in range(n):
            channels = random.normal(size=(12, random.integers(7, 30))).round(3).tolist()
            lines.append(":".join(",".join(map(str, channel)) for channel in channels) + f":{1 + i % 9}")
        (folder / f"JapaneseVowels_{part}.ts").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "sktime", raising=False)
    return folder


def test_format_by_hand():
    series, labels = parsed("@dimensions 2\n@data\n1,2,3:4,5,6:7\n\n8:9:1\n")
    np.testing.assert_array_equal(series[0], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(series[1], [[8], [9]])
    assert labels == [7, 1]
    for wrong in ("", "@data\n", "1,2:3\n", "@data\n1,x:3\n"):
        with pytest.raises(ValueError):
            parsed(wrong)


def test_resampling_by_hand():
    np.testing.assert_allclose(resampled(np.array([[0.0, 2.0], [1.0, 1.0]]), 3), [[0, 1], [1, 1], [2, 1]])
    np.testing.assert_allclose(resampled(np.array([[5.0]]), 2), [[5], [5]])


def test_a_package_is_read_and_not_run(package):
    data = load("japanese-vowels")
    assert data.images.shape == (640, 1, 20, 12) and data.images.dtype == np.float32
    assert data.images.min() == 0 and data.images.max() == 1
    assert data.labels[:10].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0] and data.n_classes == 9
    assert data.class_names[0] == "speaker 1"
    assert data.provenance["files"][0]["checked"] == "ships with sktime"
    assert load("japanese-vowels", subset=90).images.shape == (90, 1, 20, 12)


def test_summaries_are_those_of_the_frames_in_the_file(package):
    first = (package / "JapaneseVowels_TRAIN.ts").read_text().splitlines()[3].split(":")[:-1]
    channels = [np.array(channel.split(","), dtype=float) for channel in first]
    means, moments = load("japanese-vowels-means"), load("japanese-vowels-moments")
    assert means.images.shape == (640, 12) and moments.images.shape == (640, 24)
    expected = [channel.mean() for channel in channels] + [channel.std() for channel in channels]
    np.testing.assert_allclose(moments.images[0], expected, rtol=1e-5)
    np.testing.assert_array_equal(means.images, moments.images[:, :12])
    assert means.labels.tolist() == load("japanese-vowels").labels.tolist()


def test_a_cut_file_is_refused(package):
    path = package / "JapaneseVowels_TEST.ts"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(DataError, match="639"):
        load("japanese-vowels")
    path.write_text("@data\nnothing here\n")
    with pytest.raises(DataError, match="cut off or altered"):
        load("japanese-vowels")


def test_without_a_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr("dcbook.data.japanese_vowels.find_spec", lambda name: None)
    with pytest.raises(MissingDataError, match="pip install --no-deps sktime"):
        load("japanese-vowels")
