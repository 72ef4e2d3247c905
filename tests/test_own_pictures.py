"""A reader's folder of pictures: odd formats, sizes and orientations, and files that cannot be read."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dcbook.data import DataError, ImageFolder
from dcbook.data.pictures import NAMED, pictures_in, read_pictures, read_rgb
from dcbook.methods import KMeans
from dcbook.plots import contact_sheet, samples

HALVES = np.zeros((40, 60, 3), np.uint8)
HALVES[:, :30] = (255, 128, 0)  # the left half is orange


def test_formats_and_sizes_of_all_kinds_become_one_array(tmp_path):
    gray = HALVES[..., 0]
    made = {
        "a.jpg": Image.fromarray(HALVES),
        "b.png": Image.fromarray(np.dstack([HALVES, np.full((40, 60), 128, np.uint8)])),  # RGBA
        "c.png": Image.fromarray(gray.astype(np.uint16) * 257),  # 16 bits
        "d.PNG": Image.fromarray(gray),
        "e.png": Image.fromarray(HALVES).convert("P"),
        "deeper/f.jpeg": Image.fromarray(HALVES).convert("CMYK"),
        "g.bmp": Image.fromarray(HALVES).resize((7, 9)),
    }
    (tmp_path / "deeper").mkdir()
    for name, image in made.items():
        image.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    images, paths = read_pictures(tmp_path, 8)
    assert images.shape == (7, 3, 8, 8) and images.dtype == np.uint8 and len(paths) == 7
    assert (images[:, 0, :, 0] > 240).all() and (images[:, 0, :, -1] < 15).all(), "red is at the left in each"
    assert read_pictures(tmp_path, 8, gray=True)[0].shape == (7, 1, 8, 8)


def test_a_photograph_is_turned_as_its_exif_data_say(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held on its side: rotate by 90 degrees clockwise
    Image.fromarray(HALVES).save(tmp_path / "a.jpg", exif=turned)
    (image,), _ = read_pictures(tmp_path, 8)
    assert (image[0, 0] > 240).all() and (image[0, -1] < 15).all(), "what was left is now on top"


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("levels", [np.uint8, np.uint16])
def test_a_scan_is_turned_in_every_format(tmp_path, name, levels):
    turned = Image.Exif()
    turned[0x0112] = 6
    scan = np.where(HALVES[..., 0] > 0, np.iinfo(levels).max, 0).astype(levels)
    Image.fromarray(scan).save(tmp_path / name, exif=turned)
    found = np.asarray(read_rgb(str(tmp_path / name), upright=True))
    assert found.shape == (60, 40, 3) and (found[:30] == 255).all() and (found[30:] == 0).all()


@pytest.mark.parametrize("levels", [np.int32, np.float32])
def test_a_tiff_whose_white_is_unknown_is_refused(tmp_path, levels):
    Image.fromarray(np.full((4, 4), 255, levels)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="neither 8 nor 16 bits"):
        read_rgb(str(tmp_path / "a.tif"))


def test_files_that_cannot_be_read_are_named_and_left_out(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "good.png")
    for i in range(NAMED + 1):
        (tmp_path / f"broken{i}.jpg").write_bytes(b"\xff\xd8\xffnot a picture")
    with pytest.warns(UserWarning, match="6 of 7 files cannot be read .*broken0.jpg.* and 1 more"):
        images, paths = read_pictures(tmp_path, 8)
    assert len(images) == 1 and paths == [str(tmp_path / "good.png")]
    (tmp_path / "good.png").unlink()
    with pytest.raises(ValueError, match=r"no file in .* can be read as a picture"):
        read_pictures(tmp_path, 8)


def test_damaged_and_huge_pictures_are_left_out_too(tmp_path, monkeypatch):
    """PIL raises errors of many kinds for these, among them a SyntaxError."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "chunk.png")
    first, second, rest = (tmp_path / "chunk.png").read_bytes().partition(b"IDAT")
    (tmp_path / "chunk.png").write_bytes(first + second + rest.replace(b"IDAT", b"ID\0T"))
    Image.fromarray(HALVES).save(tmp_path / "exif.jpg", exif=b"Exif\0\0XX*\0\x08\0\0\0\x01\0")
    Image.fromarray(HALVES).save(tmp_path / "cut.jpg", exif=b"Exif\0\0II*\0\x08")
    Image.fromarray(HALVES).save(tmp_path / "good.png")
    Image.fromarray(HALVES).resize((300, 300)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200 * 200)
    with pytest.warns(UserWarning, match="4 of 5 files .*chunk.png .*cut.jpg .*exif.jpg .*huge.png "):
        images, paths = read_pictures(tmp_path, 8)
    assert len(images) == 1 and paths == [str(tmp_path / "good.png")]
    for name in ("chunk.png", "huge.png"):
        (tmp_path / "all" / name[:-4]).mkdir(parents=True)
        (tmp_path / name).rename(tmp_path / "all" / name[:-4] / name)
    for i in range(2):
        with pytest.raises(DataError, match=r"(chunk|huge).png: it can't be read"):
            ImageFolder(tmp_path / "all", 16, workers=0)[i]


def test_links_between_folders_repeat_no_picture(tmp_path):
    places = ("loop/1.png", "loop/deeper/2.png", "twice/a/3.png", "other/4.png")
    for name in places:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(HALVES).save(tmp_path / name)
    (tmp_path / "loop" / "deeper" / "up").symlink_to(tmp_path / "loop")
    (tmp_path / "twice" / "b").symlink_to(tmp_path / "twice" / "a")
    (tmp_path / "twice" / "c").symlink_to(tmp_path / "other")
    assert pictures_in(tmp_path / "loop") == [str(tmp_path / name) for name in places[:2]]
    assert pictures_in(tmp_path / "twice") == [str(tmp_path / "twice" / name) for name in ("a/3.png", "c/4.png")]


def test_pictures_of_several_shapes_are_refused_and_those_of_one_are_taken_from_a_list_or_a_column():
    model, pictures = KMeans(2, random_state=0), list(np.random.default_rng(0).random((9, 3, 8, 8)))
    labels = model.fit(np.stack(pictures)).labels_
    for same in (pictures, pd.Series(pictures)):
        np.testing.assert_array_equal(model.fit(same).labels_, labels)
    for ragged in ([*pictures, np.zeros((3, 8, 9))], pd.Series([*pictures, np.zeros((3, 9, 8))])):
        with pytest.raises(ValueError, match=r"the samples of x differ in shape; .*read_pictures does for pictures"):
            model.fit(ragged)


def test_a_missing_folder_and_one_without_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        read_pictures(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no file that ends in"):
        read_pictures(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder ''; the working folder is "):
        read_pictures("")


@pytest.mark.parametrize("size", [0, 16.0, "16", True])
def test_a_size_is_a_whole_number(size, tmp_path):
    with pytest.raises(ValueError, match=f"size must be a whole number of at least 1, not {size!r}"):
        read_pictures(tmp_path, size)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "pictures").mkdir()
    Image.fromarray(HALVES).save(tmp_path / "pictures" / "a.png")
    assert read_pictures("~/pictures", np.int64(8))[1] == [str(tmp_path / "pictures" / "a.png")]


def test_the_lines_of_the_readme_run_as_they_are(tmp_path, monkeypatch):
    """Word for word, with fewer epochs and updates."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    lines = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len(lines.strip().splitlines()) == 9
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(re.sub(r"(epochs|updates)=\d+", r"\1=1", lines), found)
    assert found["clusters"].shape == (1797,) and found["soft"].shape == (1797, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["DCSS.model", "IDEC.model"]


def test_a_contact_sheet_names_its_two_parts_and_each_cluster():
    rng = np.random.default_rng(0)
    figure = contact_sheet(rng.random((30, 3, 8, 8)), np.arange(30) % 2, rng.random(30))
    shown = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert shown[:1] == ["surest"] and set(shown) == {"surest", "least sure", "0 (15)", "1 (15)"}
    assert sum(len(axis.images) for axis in figure.axes) == 24


def test_a_contact_sheet_takes_lists_tensors_and_columns():
    rng = np.random.default_rng(0)
    images, clusters, sure = rng.random((30, 3, 8, 8)), np.arange(30) % 2, rng.random(30)

    def shown(*given):
        return [axis.images[0].get_array().tolist() for axis in contact_sheet(*given).axes if axis.images]

    expected = shown(images, clusters, sure)
    shuffled = pd.Series(sure, index=range(29, -1, -1))
    assert shown(torch.as_tensor(images), clusters.tolist(), shuffled) == expected != []
    with pytest.raises(ValueError, match=r"must agree, not have the shapes \(30, 3, 8, 8\), \(29,\), \(30,\)"):
        contact_sheet(images, clusters[1:], sure)
    labels = pd.Series(clusters, index=range(29, -1, -1))
    assert not any(axis.axison for axis in samples(images, labels, clusters).axes), "no picture is framed"
