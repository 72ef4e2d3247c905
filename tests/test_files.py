"""What dcbook writes is whole or not at all, and nothing that others wrote is touched."""

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dcbook import files
from dcbook.files import remove_abandoned, write_whole
from dcbook.methods import AEKMeans, KMeans, Pretraining, Start, load_model
from dcbook.training.tensor_files import read_tensors, write_tensors

X = np.random.default_rng(0).random((30, 4), dtype=np.float32)
KINDS = ["model", "deep model", "start"]


@pytest.fixture(scope="module")
def saves():
    """What writes a folder, by name."""
    recipe = Pretraining(widths=(4,), latent_dim=2, epochs=1, batch_size=8, restarts=1)
    deep = AEKMeans(2, start=recipe, random_state=0, progress=False).fit(X)
    return {"model": KMeans(2, random_state=0).fit(X).save, "deep model": deep.save, "start": deep.start_.save}


def load(name, folder):
    return Start.load(folder) if name == "start" else load_model(folder)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", KINDS)
def test_what_others_wrote_stays(name, saves, tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    saves["start" if name != "start" else "model"](".")
    before = contents(tmp_path)
    for _ in range(2):
        saves[name](".")
        after = contents(tmp_path)
        assert len(after) == len(before) + 1 and before.items() <= after.items()
    load(name, ".")
    with pytest.raises(FileExistsError, match=r"thesis.txt is a file; give a folder"):
        saves[name]("thesis.txt")
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    saves[name]("link")
    assert (tmp_path / "link").is_symlink() and len(contents(tmp_path / "target")) == 1
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_the_same_name_that_others_wrote_is_refused(name, saves, tmp_path):
    saves[name](tmp_path / "own")
    (own,) = (tmp_path / "own").iterdir()
    (tmp_path / "theirs").mkdir()
    theirs = tmp_path / "theirs" / own.name
    (tmp_path / "thesis.txt").write_text("years of work")
    for make in (lambda: save_file({"w": torch.zeros(2)}, theirs), lambda: theirs.symlink_to(tmp_path / "thesis.txt")):
        make()
        before = theirs.read_bytes()
        with pytest.raises(FileExistsError, match=r"not a file of dcbook and is not overwritten; give another folder"):
            saves[name](tmp_path / "theirs")
        assert theirs.read_bytes() == before
        theirs.unlink()


def test_who_may_read_a_file_is_kept(saves, tmp_path):
    before = os.umask(0o077)
    try:
        saves["start"](tmp_path)
        path = tmp_path / "start.safetensors"
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        saves["start"](tmp_path)
        assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_a_reader_beside_a_writer_sees_one_whole_file_or_the_other(tmp_path):
    path, stop = tmp_path / "file", threading.Event()
    kinds = [{"x": torch.full((n,), float(n))} for n in (10, 20_000)]
    write_tensors(path, kinds[0], {"n": 10})

    def write():
        while not stop.is_set():
            for tensors in kinds:
                write_tensors(path, tensors, {"n": len(tensors["x"])})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(150):
            tensors, about = read_tensors(path, "file", "")
            assert len(tensors["x"]) == about["n"] and (tensors["x"] == about["n"]).all()
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("name", KINDS)
def test_any_damage_is_named(name, saves, tmp_path):
    saves[name](tmp_path)
    (path,) = tmp_path.iterdir()
    content, rng = path.read_bytes(), np.random.default_rng(0)
    assert path.stat().st_mode & 0o777 == 0o644, "others may read it"
    for _ in range(40):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"{path.name} is (damaged|not a complete)"):
            load(name, tmp_path)
    for length in (0, 7, 100, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=f"{path.name} is not a complete"):
            load(name, tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=f"{path.name}: there is no such file"):
        load(name, tmp_path)


def test_a_number_that_is_not_finite_is_refused(saves, tmp_path):
    saves["start"](tmp_path)
    path = tmp_path / "start.safetensors"
    tensors, about = read_tensors(path, "start", "")
    write_tensors(path, {**tensors, "centers": tensors["centers"] * torch.nan}, about)
    with pytest.raises(ValueError, match=r"start.safetensors is damaged: centers holds numbers that are not finite"):
        Start.load(tmp_path)


def test_a_writer_that_is_killed_leaves_the_old_file_and_the_next_one_removes_its_half(tmp_path):
    path = tmp_path / "kept [1].txt"  # a name with the signs of a pattern
    write_whole(path, "old")

    def die_before_the_renaming():
        files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_whole(path, "half")

    process = multiprocessing.get_context("fork").Process(target=die_before_the_renaming)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 2
    alive = tmp_path / f".{path.name}.dcbook-{files._machine()}-{os.getpid()}-abc"
    elsewhere = [tmp_path / f".{path.name}.dcbook-else-where-1-{name}" for name in ("fresh", "stale")]
    for half in (alive, *elsewhere):
        half.write_text("half")
    os.utime(elsewhere[1], (time.time() - 2 * files.DAY,) * 2)
    others = [tmp_path / f".{path.name}.mine", tmp_path / ".config.v1.dcbook-2"]
    for other in others:
        other.write_text("not dcbook's")
        os.utime(other, (time.time() - 2 * files.DAY,) * 2)
    write_whole(path, "new")
    assert path.read_text() == "new" and set(tmp_path.iterdir()) == {path, alive, elsewhere[0], *others}
    os.utime(elsewhere[0], (time.time() - 2 * files.DAY,) * 2)
    remove_abandoned(tmp_path.parent)
    assert set(tmp_path.iterdir()) == {path, alive, *others}


def test_an_error_on_the_way_leaves_the_old_file(tmp_path, monkeypatch):
    write_whole(tmp_path / "kept", "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "kept", "half")
    assert contents(tmp_path) == {"kept": b"old"}


def test_a_link_to_a_file_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"


def test_a_device_is_saved_by_its_name(tmp_path):
    KMeans(2, random_state=0, device=torch.device("cpu")).fit(X).save(tmp_path / "model")
    assert load_model(tmp_path / "model").get_params()["device"] == "cpu"


def test_numbers_of_numpy_are_kept_as_numbers(tmp_path):
    """In a model, its start and its checkpoint: the sizes of a network are settings of the fit."""
    start = Pretraining(widths=(np.int64(8),), latent_dim=np.int64(2), lr=np.float32(0.5), epochs=1, batch_size=5)
    model = AEKMeans(np.int64(2), start=start, random_state=0, device="cpu").fit(X, checkpoint=tmp_path / "state")
    model.start_.save(tmp_path / "start")
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").start == start
    assert Start.load(tmp_path / "start").digest == model.start_.digest
