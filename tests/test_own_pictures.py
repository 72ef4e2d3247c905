"""A reader's folder of pictures: odd formats, sizes and orientations, and files that cannot be read."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcbook.data.pictures import NAMED, read_pictures
from dcbook.plots import contact_sheet

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


def test_a_missing_folder_and_one_without_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        read_pictures(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no file that ends in"):
        read_pictures(tmp_path)
    with pytest.raises(ValueError, match="size must be at least 1"):
        read_pictures(tmp_path, 0)


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
