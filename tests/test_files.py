"""Only what dcbook itself wrote is replaced: a folder that holds anything else is refused, and left as it was."""

import numpy as np
import pytest
import torch

from dcbook.files import written_folder
from dcbook.methods import AEKMeans, KMeans, Pretraining, load_model

X = np.random.default_rng(0).random((30, 4), dtype=np.float32)


@pytest.fixture(scope="module")
def saves():
    """What writes a folder, by name."""
    recipe = Pretraining(widths=(4,), latent_dim=2, epochs=1, batch_size=8, restarts=1)
    deep = AEKMeans(2, start=recipe, random_state=0, progress=False).fit(X)
    return {"model": KMeans(2, random_state=0).fit(X).save, "deep model": deep.save, "start": deep.start_.save}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["model", "deep model", "start"])
def test_what_others_wrote_is_refused_and_left(name, saves, tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    other = saves["start" if name != "start" else "model"]
    other("other")
    for folder, held in ((tmp_path, "thesis.txt"), (".", "thesis.txt"), ("other", r"\.json, \w+\.safetensors")):
        before = contents(tmp_path)
        with pytest.raises(FileExistsError, match=f"holds .*{held}.*, which would be lost; give a folder that is new"):
            saves[name](folder)
        assert contents(tmp_path) == before
    (tmp_path / "link").symlink_to(tmp_path / "other")
    for folder in ("link", "thesis.txt"):
        with pytest.raises(FileExistsError, match="is a link or a file; give a folder that is new or empty"):
            saves[name](folder)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", ["model", "deep model", "start"])
def test_its_own_files_are_replaced_and_an_empty_folder_is_filled(name, saves, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new" / "deep", tmp_path / "empty"):
        saves[name](folder)
        first = contents(folder)
        saves[name](folder)
        assert contents(folder) == first and len(first) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"], "no temporary is left"


def test_an_error_on_the_way_leaves_the_old_folder(tmp_path):
    with written_folder(tmp_path / "kept", ["a"]) as new:
        (new / "a").write_text("old")
    with pytest.raises(RuntimeError), written_folder(tmp_path / "kept", ["a"]) as new:
        (new / "a").write_text("half")
        raise RuntimeError
    assert contents(tmp_path) == {"a": b"old"} and len(list(tmp_path.iterdir())) == 1


def test_a_device_is_saved_by_its_name(tmp_path):
    KMeans(2, random_state=0, device=torch.device("cpu")).fit(X).save(tmp_path / "model")
    assert load_model(tmp_path / "model").get_params()["device"] == "cpu"
