"""What is missing is named, fetched only when asked for, and what is decoded slowly is kept."""

import os
from pathlib import Path

import numpy as np
import pytest

from dcbook.data import NAMES, DataError, MissingDataError, cache, load
from dcbook.data.__main__ import main
from dcbook.data.sources import SOURCES


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.files])
def test_a_missing_set_says_place_size_and_command(tmp_path, name):
    with pytest.raises(MissingDataError) as caught:
        load(name, root=tmp_path / "nowhere")
    message = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError) and message.startswith(f"{name}: ")
    assert str(tmp_path / "nowhere") in message and ("MB" in message or "GB" in message)
    assert "DCBOOK_DATA" in message
    assert (f"make data NAME={name}" if SOURCES[name].fetch else SOURCES[name].how) in message
    assert not (tmp_path / "nowhere").exists()


def test_the_missing_half_is_named_and_the_other_half_loads(root):
    (root / "cifar-100-python/train").unlink()
    with pytest.raises(MissingDataError, match=r": cifar-100-python/train \(the set is about 169 MB\)"):
        load("cifar100-20", root=root)
    assert len(load("cifar100-20-test", root=root)) == 12
    for path in (root / "MNIST/raw").glob("train-*"):
        path.unlink()
    assert len(load("mnist-test", root=root)) == 12


def test_usps_is_decoded_once(root, monkeypatch):
    first = load("usps", root=root)
    kept = sorted((root / ".decoded").iterdir())
    assert len(kept) == 2

    def refuse(*args, **kwargs):
        raise RuntimeError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr("torchvision.datasets.USPS.__init__", refuse)
        again = load("usps", root=root)
        assert again.digest == first.digest
        # a kept file that doesn't match its digest isn't used
        with np.load(kept[0]) as file:
            digest, images, labels = (file[name] for name in file.files)
        np.savez(kept[0], digest, images ^ 1, labels)
        with pytest.raises(DataError, match="decoded again"):
            load("usps", root=root)
    assert load("usps", root=root).digest == first.digest


def test_without_room_to_keep_arrays_usps_loads_too(root, monkeypatch):
    def full(*args):
        raise OSError("no space left")

    monkeypatch.setattr(cache.np, "savez", full)
    assert len(load("usps", root=root)) == 42 and not list((root / ".decoded").iterdir())


def test_kept_arrays_are_readable_by_those_who_share_the_folder(root):
    before = os.umask(0o002)
    try:
        load("usps", root=root)
    finally:
        os.umask(before)
    kept = list((root / ".decoded").iterdir())
    assert kept and all(path.stat().st_mode & 0o777 == 0o664 for path in kept)


def test_download_only_when_asked_and_whole_or_not_at_all(root, monkeypatch):
    calls, copies = [], {path: (root / path).read_bytes() for path in ("usps.bz2", "usps.t.bz2")}
    damage(root / "usps.bz2")
    (root / "usps.t.bz2").unlink()

    def broken(url, folder, filename, md5):
        calls.append(filename)
        Path(folder, filename).write_bytes(copies[filename][:50])
        raise ConnectionError("line cut")

    def good(url, folder, filename, md5):
        Path(folder, filename).write_bytes(copies[filename])

    monkeypatch.setattr("torchvision.datasets.usps.download_url", broken)
    with pytest.raises(MissingDataError):
        load("usps", root=root)
    assert not calls
    before = sorted(root.iterdir())
    with pytest.raises(DataError, match=r"usps: the download failed \(ConnectionError: line cut\).*by hand"):
        load("usps", root=root, download=True)
    assert calls == ["usps.bz2"] and sorted(root.iterdir()) == before
    monkeypatch.setattr("torchvision.datasets.usps.download_url", good)
    assert len(load("usps", root=root, download=True)) == 42
    # what is there and sound isn't fetched again
    monkeypatch.setattr("torchvision.datasets.usps.download_url", broken)
    assert len(load("usps", root=root, download=True)) == 42


def test_the_command_lists_and_fetches(root, capsys, monkeypatch):
    (root / "usps.bz2").unlink()
    damage(root / "medmnist/breastmnist.npz")
    assert main(["--root", str(root)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "missing (8 MB)" in lines["usps"] and "ALTERED" in lines["breastmnist"]
    assert "62 images 1x28x28x28 uint8, 2 classes" not in lines["usps"]
    assert "50 images 1x28x28x28 uint8, 2 classes" in lines["vesselmnist3d"] and set(NAMES) <= set(lines)

    def fail(*args, **kwargs):
        raise ConnectionError("line cut")

    monkeypatch.setattr("torchvision.datasets.usps.download_url", fail)
    assert main(["usps cifar10", "--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert "line cut" in err and "162 images 3x32x32" in out
    with pytest.raises(SystemExit) as stop:
        main(["uspz", "--root", str(root)])
    assert stop.value.code == 2 and "'uspz'" in capsys.readouterr().err
    assert main(["imagenet10", "--root", str(root / "empty")]) == 1
    assert "image-net.org" in capsys.readouterr().err
    assert main(["usps", "--root", str(root / "usps.t.bz2")]) == 1
    assert "File exists" in capsys.readouterr().err
