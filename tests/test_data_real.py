"""The real sets, as far as DCBOOK_DATA holds them; each one that it lacks is skipped."""

import gzip
import hashlib
import os
import shutil

import numpy as np
import pytest

from dcbook.data import DataError, MissingDataError, content_digest, files, load

# N, shape, images of each class, start of the original's digest where it was at hand
EVEN = [6000] * 10
MNIST = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]
REAL = {
    "mnist": (70_000, (1, 28, 28), MNIST, "c796fdc7928c"),
    "mnist-test": (10_000, (1, 28, 28), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], "6d4950903bed"),
    "fashion-mnist": (70_000, (1, 28, 28), [7000] * 10, "6ba3a9b107a4"),
    "fashion-mnist-test": (10_000, (1, 28, 28), [1000] * 10, "20c9a769a8b6"),
    "2mnist": (140_000, (1, 28, 28), [*MNIST, *[7000] * 10], "6551e33135bb"),
    "usps": (9298, (1, 16, 16), [1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821], None),
    "cifar10": (60_000, (3, 32, 32), EVEN, None),
    "cifar100-20": (60_000, (3, 32, 32), [3000] * 20, None),
    "cifar100-20-test": (10_000, (3, 32, 32), [500] * 20, None),
    "stl10": (13_000, (3, 96, 96), [1300] * 10, None),
    "breastmnist": (780, (1, 28, 28), [210, 570], "a7a78caf0642"),
    "pneumoniamnist": (5856, (1, 28, 28), [1583, 4273], "075dd342533f"),
    "bloodmnist": (17_092, (3, 28, 28), [1218, 3117, 1551, 2895, 1214, 1420, 3329, 2348], None),
    "vesselmnist3d": (1908, (1, 28, 28, 28), [1693, 215], "cbff056ced25"),
}
# the copies that were compared with the originals
COPIES = {"usps": "fbc75f7e1cb5", "cifar10": "98a97e2986c3", "cifar100-20-test": "1547e475089c"}


def real(name):
    if not os.environ.get("DCBOOK_DATA"):
        pytest.skip("DCBOOK_DATA isn't set")
    try:
        return load(name)
    except MissingDataError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", REAL)
def test_a_real_set_is_what_was_published(name):
    n, shape, counts, digest = REAL[name]
    data = real(name)
    assert data.images.shape == (n, *shape) and data.images.dtype == np.uint8
    assert np.bincount(data.labels).tolist() == counts and data.n_classes == len(counts)
    if data.original:
        assert digest is None or data.digest.startswith(digest)
    else:
        assert data.digest.startswith(COPIES[name]) and data.provenance["notes"]


def test_idx_contents_are_those_of_the_published_packed_files():
    real("mnist-test")
    from torchvision import datasets

    found = 0
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        for packed, md5 in kind.resources:
            path = files.data_root() / kind.__name__ / "raw" / packed
            if path.exists() and hashlib.md5(path.read_bytes()).hexdigest() == md5:
                content = gzip.decompress(path.read_bytes())
                shape = np.frombuffer(content, ">u4", content[3], 4)
                array = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)
                array = array.astype(np.int64) if array.ndim == 1 else array
                (known,) = files.KNOWN[f"{kind.__name__}/raw/{path.stem}"]
                assert known == {"content": content_digest(array), "original": True}
                found += 1
    if not found:
        pytest.skip("the packed files aren't there")


@pytest.mark.parametrize("kind", ["images-idx3", "labels-idx1"])
def test_one_wrong_byte_in_a_real_file_is_refused(tmp_path, kind):
    real("mnist-test")
    for part in ("images-idx3", "labels-idx1"):
        file = f"MNIST/raw/t10k-{part}-ubyte"
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files.data_root() / file, tmp_path / file)
    assert load("mnist-test", root=tmp_path).original
    with (tmp_path / f"MNIST/raw/t10k-{kind}-ubyte").open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)[0]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(DataError, match=f"mnist-test: .*t10k-{kind}-ubyte: its content is neither"):
        load("mnist-test", root=tmp_path)
