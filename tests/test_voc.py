"""VOC 2007 classification: labels and losses worked by hand, and training on a folder like the published one."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score
from torch import nn

from dcbook.evaluation import VOC_CLASSES, evaluate_voc, fit_voc, masked_bce, voc2007, voc_labels

AEROPLANE, BOAT, CAT, PERSON = (VOC_CLASSES.index(name) for name in ("aeroplane", "boat", "cat", "person"))
COLORS = {"aeroplane": (200, 60, 60), "boat": (60, 60, 200), "cat": (60, 200, 60)}


def annotation(*objects):
    """An annotation of (name, difficult) as VOCDetection gives it."""
    return {"annotation": {"object": [{"name": name, "difficult": str(flag)} for name, flag in objects]}}


def make_voc(folder, image_set, objects_of, first=0):
    """A folder as unpacked; `objects_of` each image, which has the color of the first of them, and noise."""
    root = folder / "VOCdevkit" / "VOC2007"
    for part in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (root / part).mkdir(parents=True, exist_ok=True)
    names = [f"{first + i:06}" for i in range(len(objects_of))]
    (root / "ImageSets" / "Main" / f"{image_set}.txt").write_text("".join(f"{name}\n" for name in names))
    for name, objects in zip(names, objects_of, strict=True):
        noise = np.random.default_rng(int(name)).integers(-50, 50, (40, 60, 3))
        color = COLORS[objects[0][0]] if objects else (128, 128, 128)
        Image.fromarray((noise + color).clip(0, 255).astype(np.uint8)).save(root / "JPEGImages" / f"{name}.jpg")
        inside = "".join(
            f"<object><name>{kind}</name><difficult>{flag}</difficult><bndbox><xmin>1</xmin></bndbox></object>"
            for kind, flag in objects
        )
        xml = f"<annotation><filename>{name}.jpg</filename>{inside}</annotation>"
        (root / "Annotations" / f"{name}.xml").write_text(xml)
    return root


@pytest.fixture
def voc(tmp_path):
    kinds = [[(name, 0)] for name in COLORS] + [[("boat", 0), ("person", 1)]]
    make_voc(tmp_path, "trainval", kinds * 5)
    make_voc(tmp_path, "test", kinds * 3, first=100)
    return tmp_path


def convolutions():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


def classifier(n_units=7):
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, n_units))


class Points(torch.utils.data.Dataset):
    """Images of one pixel that are what they should be recognized by."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


def points(n=8):
    labels = torch.zeros(n, 20, dtype=torch.int64)
    labels[::2, AEROPLANE] = 1
    return Points(torch.randn(n, 3, 1, 1, generator=torch.Generator().manual_seed(0)), labels)


def test_labels_worked_by_hand():
    found = voc_labels(annotation(("boat", 0), ("cat", 1), ("person", 1), ("person", 0), ("boat", 1)))
    expected = torch.zeros(20, dtype=torch.int64)
    expected[[BOAT, PERSON]], expected[CAT] = 1, -1
    assert torch.equal(found, expected)
    assert not voc_labels(annotation()).any()
    assert voc_labels({"annotation": {"object": [{"name": "tvmonitor"}]}})[19] == 1  # not said to be difficult
    assert list(VOC_CLASSES) == sorted(VOC_CLASSES) and len(set(VOC_CLASSES)) == 20
    with pytest.raises(ValueError, match="'unicorn' is not a class"):
        voc_labels(annotation(("unicorn", 0)))


def test_loss_worked_by_hand():
    """log 2 for a logit of 0; log(1 + e^-1) for a positive one of 1; what is masked has neither loss nor gradient."""
    logits = torch.zeros(2, 20, requires_grad=True)
    labels = torch.full((2, 20), -1)
    labels[0, 0], labels[1, 3] = 0, 1
    with torch.no_grad():
        logits[1, 3], logits[0, 7] = 1, 99
    loss = masked_bce(logits, labels)
    assert loss.item() == pytest.approx((np.log(2) + np.log(1 + np.exp(-1))) / 2)
    loss.backward()
    assert logits.grad.nonzero().tolist() == [[0, 0], [1, 3]]


def test_the_data_set_is_read_as_published(voc):
    data = voc2007(voc, "test", size=16)
    assert len(data) == 12
    image, labels = data[3]
    assert image.shape == (3, 16, 16) and image.dtype == torch.float32
    assert labels.nonzero().flatten().tolist() == [BOAT, PERSON] and labels[PERSON] == -1
    mean = image.mean((1, 2)) * torch.tensor([0.229, 0.224, 0.225]) + torch.tensor([0.485, 0.456, 0.406])
    assert (255 * mean - torch.tensor(COLORS["boat"])).abs().max() < 20
    assert not torch.equal(data[3][0], image)  # another crop


def test_crops_are_a_tenth_to_a_half_of_the_image_and_square(tmp_path):
    """Of an image whose red tells the column and whose green tells the row."""
    root = make_voc(tmp_path, "train", [[("cat", 0)]])
    ramp = np.zeros((200, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200), np.arange(200)[:, None]
    Image.fromarray(ramp).save(root / "JPEGImages" / "000000.jpg", quality=100, subsampling=0)
    data = voc2007(tmp_path, "train", size=32)
    widths, heights, mirrored = [], [], []
    for _ in range(60):
        pixels = data[0][0] * torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        across = (pixels[0, :, -2] - pixels[0, :, 1]).mean().item() * 255 * 32 / 29
        heights.append((pixels[1, -2] - pixels[1, 1]).mean().item() * 255 * 32 / 29)
        widths.append(abs(across))
        mirrored.append(across < 0)
    assert np.abs(np.subtract(widths, heights)).max() < 6
    assert 0.09 < (min(widths) / 200) ** 2 < 0.15 and 0.4 < (max(widths) / 200) ** 2 < 0.53
    assert 15 < sum(mirrored) < 45


def test_it_learns_what_can_be_learned(voc):
    network = fit_voc(
        convolutions(), classifier(), voc2007(voc, size=16), iterations=60, batch_size=8, lr=0.5, halve_every=30
    )
    mean, each = evaluate_voc(network, voc2007(voc, "test", size=16), crops=3)
    assert set(each) == set(COLORS)  # all persons are difficult
    assert mean == pytest.approx(np.mean(list(each.values()))) and mean > 0.95
    untrained = fit_voc(convolutions(), classifier(), voc2007(voc, size=16), iterations=1, lr=1e-9)
    assert evaluate_voc(untrained, voc2007(voc, "test", size=16), crops=3)[0] < 0.8


def test_difficult_objects_teach_nothing():
    """Where all objects of a class are difficult, its unit keeps the first bias; the others move."""
    data = points()
    data.labels[:, PERSON] = -1
    network = fit_voc(nn.Identity(), nn.Linear(3, 4), data, iterations=5, lr=0.1, weight_decay=0)
    moved = network[2].bias != 0.1
    assert moved.sum() == 19 and not moved[PERSON]


def test_scores_are_summed_over_crops_and_masked():
    """Logits are the pixels, of another crop each time; per class as scikit-learn has it, without masked images."""
    rng = np.random.default_rng(0)
    crops, labels = rng.normal(size=(4, 9, 20)), rng.integers(-1, 2, (9, 20))
    labels[:, 3] = np.minimum(labels[:, 3], 0)  # a class without a positive
    seen = np.zeros(9, int)

    class Crops(torch.utils.data.Dataset):
        def __len__(self):
            return 9

        def __getitem__(self, i):
            seen[i] += 1
            return torch.tensor(crops[seen[i] - 1, i]), torch.tensor(labels[i])

    mean, each = evaluate_voc(nn.Identity(), Crops(), crops=4, batch_size=2)
    assert (seen == 4).all()
    expected = {
        name: average_precision_score(labels[labels[:, k] >= 0, k], crops.sum(0)[labels[:, k] >= 0, k])
        for k, name in enumerate(VOC_CLASSES)
        if k != 3
    }
    assert each == pytest.approx(expected) and mean == pytest.approx(np.mean(list(expected.values())))


@pytest.mark.parametrize(
    ("options", "moves"),
    [
        ({"frozen": True}, {"conv": False, "norm": False}),
        ({"frozen": True, "train_batch_norm": True}, {"conv": False, "norm": True}),
        ({"frozen": False}, {"conv": True, "norm": True}),
    ],
)
def test_what_is_trained(options, moves):
    features = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 1))
    features[3].requires_grad_(False)  # as fixed filters are
    head = classifier().train()
    before = {name: tensor.clone() for name, tensor in (features.state_dict() | head.state_dict()).items()}
    network = fit_voc(features, head, points(), iterations=5, lr=0.5, **options)
    changed = {
        "conv": not torch.equal(network[0][0].weight, features[0].weight),
        "norm": not torch.equal(network[0][1].bias, features[1].bias),
    }
    assert changed == moves
    assert torch.equal(network[0][3].weight, features[3].weight)
    assert torch.equal(network[0][1].running_mean, torch.zeros(8))  # its statistics stay
    assert network[2][3].out_features == 20 and not network.training
    after = features.state_dict() | head.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before) and features.training and head.training


def test_first_weights_rates_and_clipping(monkeypatch):
    rates, norms, biases, step = [], [], [], torch.optim.SGD.step

    def recording(self, *args):
        (group,) = self.param_groups
        rates.append((group["lr"], group["momentum"], group["weight_decay"]))
        norms.append(torch.stack([p.grad.norm() for p in group["params"]]).norm().item())
        biases.append(group["params"][-1].clone())
        return step(self, *args)

    monkeypatch.setattr(torch.optim.SGD, "step", recording)
    head = nn.Sequential(nn.Linear(3, 500), nn.ReLU(), nn.Linear(500, 9))
    fit_voc(nn.Identity(), head, points(), iterations=7, batch_size=8, lr=0.4, halve_every=3, max_norm=0.25)
    assert rates == [(0.4 * 0.5 ** (t // 3), 0.9, 1e-6) for t in range(7)]
    assert norms[0] == pytest.approx(0.25) and max(norms) <= 0.2501
    assert torch.equal(biases[0], torch.full((20,), 0.1))
    fresh = fit_voc(nn.Identity(), head, points(), iterations=1, lr=1e-12)[2]
    assert fresh[2].weight.std().item() == pytest.approx(0.01, rel=0.03)
    assert fresh[0].weight.std().item() == pytest.approx(0.01, rel=0.1)
    alone = fit_voc(nn.Identity(), nn.Linear(3, 9), points(), iterations=1)[2]
    assert alone.out_features == 20


def test_dropout_is_on_and_the_seed_decides():
    class Spy(nn.Dropout):
        states = []  # noqa: RUF012

        def forward(self, x):
            self.states.append(self.training)
            return super().forward(x)

    head = nn.Sequential(Spy(), nn.Linear(3, 4))
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    first, again, other = (
        fit_voc(nn.Identity(), head, points(), iterations=4, lr=0.1, batch_size=3, seed=seed) for seed in (0, 0, 1)
    )
    assert torch.rand(1) == expected
    assert all(Spy.states) and len(Spy.states) == 12
    assert torch.equal(first[2][1].weight, again[2][1].weight)
    assert not torch.equal(first[2][1].weight, other[2][1].weight)


def test_bad_input_is_refused(voc):
    with pytest.raises(ValueError, match=r"val\.txt is missing"):
        voc2007(voc, "val")
    root = voc / "VOCdevkit" / "VOC2007"
    (root / "JPEGImages" / "000003.jpg").unlink()
    (root / "Annotations" / "000004.xml").unlink()
    with pytest.raises(ValueError, match=r"20 images, but 2 files are missing.*000003\.jpg.*000004\.xml"):
        voc2007(voc)
    for change in ({"iterations": 0}, {"lr": 0.0}, {"max_norm": 0.0}, {"halve_every": 0}, {"weight_decay": -1.0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            fit_voc(nn.Identity(), classifier(), points(), **change)
    with pytest.raises(ValueError, match=r"must be an nn\.Linear, not ReLU"):
        fit_voc(nn.Identity(), nn.Sequential(nn.Linear(3, 4), nn.ReLU()), points())
    with pytest.raises(ValueError, match="at least one crop"):
        evaluate_voc(nn.Identity(), points(), crops=0)
    nothing = Points(torch.zeros(2, 20), torch.full((2, 20), -1))
    with pytest.raises(ValueError, match="no positives"):
        evaluate_voc(nn.Identity(), nothing)
