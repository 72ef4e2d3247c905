"""Tables 2 to 5 in the small: a copy of a network on other labels, copies of images to be found, and their runs."""

from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from torch import nn

from dcbook import evaluation
from dcbook.chapters.deepcluster import grids, tables
from dcbook.chapters.deepcluster.grids.paper import IMAGES
from dcbook.chapters.deepcluster.watches import Transfer
from dcbook.chapters.deepcluster.watches.networks import networks
from dcbook.data import Dataset, data_root, load
from dcbook.evaluation import describe_by, distorted, finding_copies, train_with_labels, transferred
from dcbook.methods import DeepCluster
from dcbook.models import ConvNet
from tests.test_deepcluster_claims import moved
from tests.test_retrieval import paint
from tests.test_voc import make_voc

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "deepcluster" / "table2_table4_table5_transfer.ipynb"
LISTS = (grids.transfers, grids.uncurated)


def small():
    settings = {"epochs": 1, "width": 0.2, "hidden": 24, "pca_dim": 8, "batch_size": 50, "dropout": 0.0}
    model = DeepCluster(20, **settings, sobel=False, crop=0.5, flip=False, random_state=0, progress=False)
    return model.fit(load("digits", subset=300).images)


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def sets():
    data = load("digits")
    rows = np.random.default_rng(0).permutation(len(data))
    return [(data.images[part], data.labels[part]) for part in (rows[:200], rows[200:500])]


def state_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("frozen", [True, False])
def test_a_copy_learns_other_labels_and_the_network_stays(model, sets, frozen):
    network = model.autoencoder_
    before = state_of(network)
    options = {"frozen": frozen, "seed": 3, "batch_size": 25}
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    learned = transferred(network, *sets, epochs=10, **options)
    assert torch.rand(1) == expected, "the global stream is left alone"
    assert same(before, network.state_dict()) and not network.training
    assert learned > 0.5
    shuffled = np.random.default_rng(0).permutation(sets[1][1])  # labels of the test teach nothing, but are asked for
    assert transferred(network, sets[0], (sets[1][0], shuffled), epochs=10, **options) < 0.2
    once = transferred(network, *sets, epochs=1, **options)
    assert once == transferred(network, *sets, epochs=1, **options) < learned


def test_frozen_is_a_network_whose_convolutions_stay_in_evaluation_mode(sets):
    """The slow twin: the whole network, its convolutions in evaluation mode, without gradients, maps standardized."""

    class Kept(nn.Module):
        def __init__(self, network, images):
            super().__init__()
            self.below, self.top = [network.encoder.convolutions.eval()], network.encoder[1:]  # no child: stays in eval
            with torch.no_grad():
                self.deviation, self.mean = torch.std_mean(self.below[0](torch.tensor(images)), 0, correction=0)

        def forward(self, x):
            with torch.no_grad():
                x = (self.below[0](x) - self.mean) / self.deviation.where(self.deviation > 0, 1)
            return self.top(x).relu()

    torch.manual_seed(0)
    network = ConvNet((1, 8, 8), n_clusters=5, sobel=False, hidden=24, width=0.2, dropout=0.0)
    with torch.no_grad():
        for _ in range(3):
            network(torch.tensor(sets[1][0]))  # batch normalization sees something
    with torch.random.fork_rng():
        torch.manual_seed(7)
        twin = ConvNet(**network.config)
    twin.encoder.convolutions.load_state_dict(network.encoder.convolutions.state_dict())
    options = {"epochs": 12, "batch_size": 20, "seed": 7}
    slow = train_with_labels(Kept(twin, sets[0][0]), *sets[0], **options, test=sets[1])
    found = transferred(network, *sets, frozen=True, **options)
    assert found == pytest.approx(slow, abs=0.004) and slow > 0.3


def test_fc6_to_fc8_begin_anew(model, sets):
    """Without an epoch nothing of what the network's own fc6 and fc7 have learned is left."""
    scaled = small()
    with torch.no_grad():
        for layer in (scaled.autoencoder_.encoder.fc6, scaled.autoencoder_.encoder.fc7):
            layer.weight.mul_(-3)
    options = {"frozen": True, "epochs": 0, "seed": 1}
    assert transferred(scaled.autoencoder_, *sets, **options) == transferred(model.autoencoder_, *sets, **options)
    other = {**options, "seed": 2}
    assert transferred(model.autoencoder_, *sets, **options) != transferred(model.autoencoder_, *sets, **other)


def test_accuracy_is_that_of_the_test_set_by_hand():
    x = torch.tensor([[-1.0], [1.0]])
    encoder = nn.Identity()
    encoder.register_parameter("unused", nn.Parameter(torch.zeros(1)))
    test = (torch.tensor([[-2.0], [-3.0], [2.0], [3.0]]), np.array([0, 1, 1, 1]))  # the second is labeled wrongly
    options = {"epochs": 200, "batch_size": 2, "lr": 0.1}
    assert train_with_labels(encoder, x, np.array([0, 1]), **options) == 1
    assert train_with_labels(encoder, x, np.array([0, 1]), **options, test=test) == 0.75


def test_a_last_batch_of_one_joins_the_one_before():
    encoder, seen = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), []
    encoder[1].register_forward_pre_hook(lambda layer, inputs: seen.append(len(inputs[0])) if layer.training else None)
    train_with_labels(encoder, torch.rand(5, 3), np.arange(5, dtype=np.int32) % 2, epochs=1, batch_size=2)
    assert seen == [2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 1}, "at least two images and a batch_size of at least 2 are needed, not 5, 1"),
        ({"labels": [0, 1]}, r"one label for each of the 5 images; labels have shape \(2,\)"),
        ({"labels": [0.5] * 5}, "labels must be whole numbers from 0"),
        ({"labels": [-1] * 5}, "labels must be whole numbers from 0"),
        ({"test": (torch.rand(4, 3), [0, 1])}, "one label for each of the 4 images"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(changes, message):
    given = {"labels": [0, 1, 0, 1, 0], "epochs": 1, "batch_size": 2} | changes
    with pytest.raises(ValueError, match=message):
        train_with_labels(nn.Linear(3, 2), torch.rand(5, 3), **given)


# copies


def test_a_distortion_moves_what_it_should_and_repeats():
    rows = torch.arange(16.0)[:, None].expand(16, 16) / 15
    x = torch.stack([rows, rows.T])[:, None]

    def made(seed, **strengths):
        return distorted(x, torch.Generator().manual_seed(seed), **strengths)

    assert torch.equal(made(0), made(0)) and not torch.equal(made(0), made(1))
    assert made(0).shape == x.shape and made(0).min() >= 0 and made(0).max() <= 1
    torch.testing.assert_close(made(0, crop=1.0, degrees=0.0), x, atol=1e-5, rtol=0)
    upright = made(0, crop=0.3, degrees=0.0)[0, 0]
    assert (upright - upright[:, :1]).abs().max() < 1e-5, "a crop leaves rows rows"
    assert upright.max() - upright.min() < 0.95, "and shows a part of the image"
    turned = made(0, crop=1.0, degrees=25.0)[0, 0, 4:12, 4:12]
    assert (turned - turned[:, :1]).abs().max() > 0.02


def test_a_rotation_keeps_lengths():
    """A blob around the center is the same after any rotation of a whole image, and one that is not round isn't."""
    grid = torch.linspace(-1, 1, 33)
    for stretch, kept in ((1.0, True), (1.5, False)):
        blob = (-6 * (grid[:, None] ** 2 + stretch * grid**2)).exp().expand(20, 1, 33, 33)
        turned = distorted(blob, torch.Generator().manual_seed(0), crop=1.0, degrees=180.0)
        assert ((turned - blob).abs().max() < 0.01) == kept


def test_finding_copies_by_hand(monkeypatch):
    """Two images, two copies each, on one axis: precision over recall is a matter of four ranks."""
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    angles = {"queries": [0.0, 1.0], "database": [0.1, 0.9, 0.7, 0.8]}  # copies c N + i: of image 0, 1, 0, 1
    monkeypatch.setattr("dcbook.evaluation.copies.distorted", lambda x, _: x)

    def describe(x):
        angle = torch.tensor(angles["queries" if len(x) == 2 else "database"])
        return torch.stack([angle.cos(), angle.sin()], 1)

    # image 0 ranks 0.1 (own), 0.7 (own), …: 1. Image 1 ranks 0.9 (own), 0.8 (own), …: 1
    assert finding_copies(describe, images, copies=2) == pytest.approx(1)
    angles["database"] = [0.1, 0.9, 0.8, 0.7]
    # image 1 now ranks 0.9 (own), 0.8, 0.7 (own): trapezoids (1 + 1) / 2 and (1/2 + 2/3) / 2, halved; image 0 ranks
    # 0.1 (own), 0.7, 0.8 (own): the same
    assert finding_copies(describe, images, copies=2) == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)


def test_vectors_that_tell_nothing_find_copies_by_chance_alone_and_bad_counts_are_refused():
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    noise = torch.Generator().manual_seed(1)
    blind = finding_copies(lambda x: torch.randn(len(x), 8, generator=noise), images, copies=3)
    seeing = finding_copies(lambda x: x.flatten(1), images, copies=3)
    assert blind < 0.1 < seeing
    for few, copies in ((images[:1], 3), (images, 0)):
        with pytest.raises(ValueError, match="at least two images"):
            finding_copies(lambda x: x.flatten(1), few, copies)


def test_rmac_of_the_last_convolution_is_whitened_by_other_images(model):
    x = torch.tensor(load("digits", subset=80).images)
    one, other = describe_by(model.autoencoder_, x[:40]), describe_by(model.autoencoder_, x[40:])
    assert one(x).shape == (80, round(64 * 0.2))
    torch.testing.assert_close(one(x).norm(dim=1), torch.ones(80))
    assert not torch.allclose(one(x), other(x), atol=1e-2)
    assert finding_copies(one, x[:40], 3) > 0.1


# the watch


def test_a_portrait_holds_all_networks_and_the_model_stays(model):
    data = load("digits", subset=300)
    watch = Transfer(("digits", {"subset": 420, "seed": 1}), labeled=150, epochs=10, supervised=3)
    before = state_of(model.autoencoder_)
    portrait = watch.portrait(model, data)
    assert same(before, model.autoencoder_.state_dict())
    names = ["untrained", "trained", "supervised"]
    assert list(portrait["transfer"]) == names and list(portrait["retrieval"]) == [*names, "pixels"]
    for each in portrait["transfer"].values():
        assert list(each) == ["frozen", "fine-tuned"] and all(0.3 < value <= 1 for value in each.values())
    assert all(0.03 < value < 1 for value in portrait["retrieval"].values())
    without = Transfer(watch.to, labeled=150, epochs=10, supervised=0).portrait(model, data)
    assert without["transfer"] == {name: portrait["transfer"][name] for name in names[:2]}
    assert watch.name != Transfer(watch.to, labeled=150, epochs=10, supervised=0).name and not watch.epoch(model, data)


def test_labels_of_the_test_images_are_never_learned_from(model, monkeypatch):
    data, learned = load("digits", subset=300), []
    target = load("digits", subset=420, seed=1)

    def noted(network, labeled, test, **options):
        learned.append((labeled[1].tolist(), len(set(map(bytes, labeled[0])) & set(map(bytes, test[0])))))
        assert len(labeled[0]) == 100 and len(test[0]) == 320
        return 0.5

    monkeypatch.setattr("dcbook.chapters.deepcluster.watches.transfer.transferred", noted)
    monkeypatch.setattr("dcbook.chapters.deepcluster.watches.transfer.load", lambda name, **sampling: target)
    Transfer(("digits", {}), labeled=100, supervised=0).portrait(model, data)
    counts = np.bincount(learned[0][0])
    assert all(shared == 0 for _, shared in learned) and counts.min() >= 9 and counts.max() <= 11


def test_the_twin_begins_where_the_model_began_and_sees_all_labels(model):
    data = load("digits", subset=300)
    found = networks(model, data.images, data.labels, 0)
    assert list(found) == ["untrained", "trained"] and found["trained"] is model.autoencoder_
    start = state_of(model.untrained())
    assert same(start, found["untrained"].state_dict())
    twin = networks(model, data.images, data.labels, 1)["supervised"]
    assert not same(start, twin.state_dict()) and not same(state_of(model.autoencoder_), twin.state_dict())


@pytest.mark.parametrize("bad", [{"labeled": 0}, {"epochs": 0}, {"supervised": -1}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError, match="labeled and epochs must be at least 1"):
        Transfer(("digits", {}), **bad)


@pytest.mark.parametrize("to", [("digits", {"subset": 150}), ("digits-rgb", {})])
def test_a_set_that_does_not_fit_is_refused_before_any_training(model, to, monkeypatch):
    monkeypatch.setattr(
        "dcbook.chapters.deepcluster.watches.transfer.networks", lambda *_: pytest.fail("it trained first")
    )
    with pytest.raises(ValueError, match=r"more than 201 images of the shape \(1, 8, 8\)"):
        Transfer(to, labeled=100).portrait(model, load("digits", subset=300))


# the runs


def test_table_3_compares_as_many_images_of_three_kinds():
    runs = grids.uncurated("quick")
    assert [set(run.sampling) - {"subset"} for run in runs] == [set(), {"retention"}, {"mixed_with"}]
    assert len({run.watch.name for run in runs}) == 1
    sets = [load(run.dataset, **run.sampling) for run in runs]
    n = IMAGES["quick"]
    assert {len(data) for data in sets} == {n}
    counts = [np.bincount(data.labels, minlength=data.n_classes) for data in sets]
    assert counts[0].min() > 0.09 * n and counts[1][9] > 5 * counts[1][0] and counts[2][10:].sum() > 0.4 * n
    lists = ({str(run.identity) for run in several("laptop")} for several in LISTS)
    assert len(set.intersection(*lists)) == 3, "images as they are have one run for both"


def test_what_is_measured_elsewhere_as_a_table():
    frame = tables.elsewhere([moved(1, trained=0.7, mixed_with="x"), moved(2, retention=0.1), moved(3)])
    assert list(frame.columns) == ["architecture", "images", "network", "dataset", "seed", "measure", "value"]
    assert list(frame.groupby("seed")["images"].first()) == ["mixed", "imbalanced", "as they are"]
    found = frame.query("seed == 1 and network == 'trained'").set_index("measure")["value"]
    assert found.to_dict() == pytest.approx({"frozen": 70, "fine-tuned": 70, "retrieval": 70})
    assert len(frame) == 3 * (3 * 3 + 1) and frame.query("network == 'pixels'")["measure"].unique() == ["retrieval"]


def test_the_cells_for_real_data_run_on_made_files(tmp_path, monkeypatch, capsys):
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if "is_dir()" in cell.source]
    assert len(cells) == 2
    monkeypatch.setenv("DCBOOK_DATA", str(tmp_path))
    given = {"torch": torch, "data_root": data_root}
    for cell in cells:
        exec(cell, given)
    assert not capsys.readouterr().out, "nothing is there yet"
    for name, side in (("alexnet", 224), ("vgg-16", 64)):
        images = torch.rand(6, 3, side, side, generator=torch.Generator().manual_seed(0)).numpy()
        settings = {"architecture": name, "width": 0.05, "hidden": 8, "pca_dim": 2, "batch_size": 3}
        DeepCluster(2, **settings, epochs=1, random_state=0, progress=False).fit(images).save(tmp_path / name)
    for part, first in (("trainval", 0), ("test", 100)):
        make_voc(tmp_path / "voc2007", part, [[("boat", 0)], [("cat", 0)]] * 2, first=first)
    truth = {"query": "oxc1_souls_1 0 0 60 40", "good": "souls_1\nsouls_2", "ok": "", "junk": ""}
    for folder in (tmp_path / "oxford5k", tmp_path / "paris6k"):
        for number, color in enumerate(((200, 60, 60), (190, 70, 60), (60, 60, 200)), 1):
            paint(folder / f"souls_{number}.jpg", color, (9, 9, 9), (5, 5, 15 * number, 30))
        (folder / "ground_truth").mkdir()
        for kind, text in truth.items():
            (folder / "ground_truth" / f"souls_{kind}.txt").write_text(text)
    sides = {name: {"longest_side": 96} for name in ("region_vectors", "evaluate_retrieval")}
    shorter = {"fit_voc": {"iterations": 2, "batch_size": 2}, "evaluate_voc": {"crops": 1}} | sides
    for name, options in shorter.items():
        monkeypatch.setattr(evaluation, name, partial(getattr(evaluation, name), **options))
    for cell in cells:
        exec(cell, given)
    told = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert list(told) == ["frozen", "fine-tuned", "oxford5k", "paris6k"]
    assert all(0 < float(value) <= 1 for value in told.values())


def test_two_sets_joined():
    a = Dataset("a", np.full((3, 1, 2, 2), 7, np.uint8), np.array([0, 1, 1]), ("x", "y"), True, {"source": "s"})
    b = Dataset("b", np.full((2, 1, 2, 2), 9, np.uint8), np.array([2, 0]), ("u", "v", "w"), False, {"notes": ["n"]})
    both = a.joined(b)
    assert both.name == "a+b" and both.labels.tolist() == [0, 1, 1, 4, 2] and both.class_names == tuple("xyuvw")
    assert both.images[:, 0, 0, 0].tolist() == [7, 7, 7, 9, 9] and not both.original
    assert both.provenance["notes"] == ["n"] and both.provenance["source"] == "s and None"
    with pytest.raises(ValueError, match="a and c can't be joined: their images are 1x2x2 uint8 and 1x2x2 float32"):
        a.joined(Dataset("c", np.zeros((2, 1, 2, 2), np.float32), np.array([0, 1])))
    digits, patches = load("digits"), load("patches")
    assert load("digits", mixed_with="patches", subset=500).digest == digits.joined(patches).sample(500).digest
    with pytest.raises(ValueError, match="no data set is called 'nothing'"):
        load("digits", mixed_with="nothing")


def test_patches_are_pieces_of_the_photographs():
    from sklearn.datasets import load_sample_image

    data = load("patches")
    assert data.images.shape == (2000, 1, 8, 8) and data.images.dtype == np.float32 and data.original
    assert data.class_names == ("china", "flower") and np.bincount(data.labels).tolist() == [1000, 1000]
    gray = load_sample_image("flower.jpg").mean(2) / 255
    sums = np.pad(gray.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    blocks = (sums[4:, 4:] - sums[:-4, 4:] - sums[4:, :-4] + sums[:-4, :-4]) / 16  # the mean of each 4×4 block
    for patch in data.images[data.labels == 1][:3, 0]:
        corner = np.abs(blocks[:-28, :-28] - patch[0, 0]) + np.abs(blocks[28:, 28:] - patch[7, 7])
        top, left = np.unravel_index(corner.argmin(), corner.shape)
        np.testing.assert_allclose(blocks[top : top + 32 : 4, left : left + 32 : 4], patch, atol=1e-4)
    assert load("patches").digest == data.digest
