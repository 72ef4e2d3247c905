"""Instance retrieval: regions and precision worked by hand, and a folder like Oxford's with a known answer."""

import numpy as np
import pytest
import torch
from PIL import Image

from dcbook.clustering import Whitening
from dcbook.evaluation import (
    Query,
    average_precision,
    evaluate_retrieval,
    mean_average_precision,
    read_ground_truth,
    region_vectors,
    rmac,
    rmac_descriptor,
    rmac_regions,
)
from dcbook.evaluation.retrieval import CORRUPTED

EPS = 1e-9
COLORS = {"red": (220, 30, 30), "blue": (30, 40, 220), "green": (20, 200, 40)}


def slow_regions(height, width, levels):
    """From centers in floating point, as in the authors' MATLAB code; without its losses in rounding whole numbers."""
    w = min(height, width)
    gaps = [(max(height, width) - w) / (steps - 1) for steps in range(2, 8)]
    overlaps = [abs((w * w - w * gap) / (w * w) - 0.4) for gap in gaps]
    more = overlaps.index(min(overlaps)) + 1
    regions = []
    for level in range(1, levels + 1):
        side = np.floor(2 * w / (level + 1))
        half = np.floor(side / 2 - 1)
        starts = []
        for length in (height, width):
            count = level + (more if length > w else 0)
            gap = (length - side) / (count - 1) if count > 1 else 0
            starts.append([int(np.floor(half + gap * i + EPS) - half) for i in range(count)])
        regions += [(top, left, int(side)) for top in starts[0] for left in starts[1]]
    return regions


def test_regions_worked_by_hand():
    """Sides 6, 12 // 3 and 12 // 4; of 9 columns, two squares of 6 overlap by a half, three by three quarters."""
    assert rmac_regions(6, 6, 1) == [(0, 0, 6)]
    assert rmac_regions(6, 6, 2)[1:] == [(0, 0, 4), (0, 2, 4), (2, 0, 4), (2, 2, 4)]
    assert rmac_regions(6, 6)[5:] == [(top, left, 3) for top in (0, 1, 3) for left in (0, 1, 3)]
    assert rmac_regions(6, 9, 1) == [(0, 0, 6), (0, 3, 6)]
    assert rmac_regions(9, 6, 2)[2:] == [(top, left, 4) for top in (0, 2, 5) for left in (0, 2)]
    assert rmac_regions(1, 1) == [(0, 0, 1)] * 14


def test_regions_against_a_twin():
    for height in range(2, 40):
        for width in (2, 3, 5, 8, 13, 21, 24, 31, 37, 48, 64):
            assert rmac_regions(height, width) == slow_regions(height, width, 3), (height, width)


def test_regions_cover_the_map_and_stay_within():
    for height, width in [(32, 64), (64, 48), (20, 20)]:
        seen = np.zeros((height, width))
        for top, left, side in rmac_regions(height, width):
            assert 0 <= top <= height - side and 0 <= left <= width - side
            seen[top : top + side, left : left + side] = 1
        assert seen[0].all() and seen[-1].all() and seen[:, 0].all() and seen[:, -1].all()


def test_maxima_against_a_loop():
    maps = torch.randn(2, 3, 9, 14)
    found = rmac(maps, 3)
    for n in range(2):
        for r, (top, left, side) in enumerate(rmac_regions(9, 14)):
            for c in range(3):
                pixels = [maps[n, c, top + i, left + j] for i in range(side) for j in range(side)]
                assert found[n, r, c] == max(pixels)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        rmac(maps[0])
    with pytest.raises(ValueError, match="at least 1"):
        rmac(maps, 0)


def test_descriptor_worked_by_hand():
    """(3, 4) and (0, 9) become (.6, .8) and (0, 1); their sum (.6, 1.8) has length .6 √10. Dead regions add nothing."""
    regions = torch.tensor([[3.0, 4.0], [0.0, 9.0], [0.0, 0.0]])
    torch.testing.assert_close(rmac_descriptor(regions), torch.tensor([1.0, 3.0]) / 10**0.5)
    stretch = Whitening(torch.zeros(2), torch.diag(torch.tensor([4.0, 3.0])))
    expected = torch.tensor([2**-0.5, 2**-0.5 + 1])  # (2.4, 2.4) and (0, 3), scaled
    torch.testing.assert_close(rmac_descriptor(regions, stretch), expected / expected.norm())


def slow_average_precision(ranked, positives, junk):
    """The trapezoids, one rank at a time."""
    area, old_recall, old_precision, hits, seen = 0.0, 0.0, 1.0, 0, 0
    for name in ranked:
        if name in junk:
            continue
        hits += name in positives
        seen += 1
        recall, precision = hits / len(positives), hits / seen
        area += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return area


@pytest.mark.parametrize(
    ("ranked", "positives", "junk", "expected"),
    [
        ("ab", "ab", "", 1),
        ("ba", "a", "", (0 + 1 / 2) / 2),  # precision is 0, then 1/2
        ("abc", "ac", "", (2 + 1 / 2 + 2 / 3) / 4),
        ("jak", "a", "jk", 1),  # junk in front costs nothing
        ("abc", "ac", "b", 1),
        ("a", "ax", "", 1 / 2),  # never ranked
        ("bc", "a", "", 0),
        ("", "a", "", 0),
    ],
)
def test_average_precision_worked_by_hand(ranked, positives, junk, expected):
    assert average_precision(list(ranked), set(positives), set(junk)) == pytest.approx(expected)


def test_average_precision_against_a_loop():
    rng = np.random.default_rng(0)
    for _ in range(50):
        names = [str(i) for i in rng.permutation(30)]
        kinds = rng.integers(3, size=30)
        positives, junk = ({n for n, kind in zip(names, kinds, strict=True) if kind == k} for k in (0, 1))
        ranked = [str(i) for i in rng.permutation(25)]
        expected = slow_average_precision(ranked, positives, junk)
        assert average_precision(ranked, positives, junk) == pytest.approx(expected)


def test_average_precision_refuses_what_has_none():
    for ranked, positives in (["a"], []), (["a", "a"], ["a"]):
        with pytest.raises(ValueError, match="needs positives, and a ranking"):
            average_precision(ranked, positives)


def test_mean_over_queries():
    queries = [Query(name, name, (0, 0, 1, 1), frozenset(name), frozenset()) for name in "ab"]
    assert mean_average_precision({"a": ["a", "b"], "b": ["a", "b"]}, queries) == pytest.approx((1 + 1 / 4) / 2)


def paint(path, background, patch=None, box=(0, 0, 0, 0), size=(60, 40)):
    image = Image.new("RGB", size, background)
    if patch:
        image.paste(patch, box)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=95)


@pytest.fixture
def oxford(tmp_path):
    """A query for the red patch in an image that is mostly blue; red images are right, and blue ones come first if the
    query isn't cropped."""
    images, truth = tmp_path / "jpg", tmp_path / "gt"
    paint(images / "all_souls_000001.jpg", COLORS["blue"], COLORS["red"], (30, 10, 60, 40))
    paint(images / "all_souls_000002.jpg", COLORS["red"])
    paint(images / "deeper" / "all_souls_000003.jpg", COLORS["red"], size=(40, 60))
    for i in (4, 5, 6):
        paint(images / f"bodleian_{i:06}.jpg", COLORS["blue"])
    paint(images / "bodleian_000007.jpg", COLORS["green"])
    truth.mkdir()
    write = {
        "all_souls_1_query": "oxc1_all_souls_000001 30.0 10.0 60.0 40.0\n",
        "all_souls_1_good": "all_souls_000001\nall_souls_000002\n",
        "all_souls_1_ok": "all_souls_000003\n",
        "all_souls_1_junk": "bodleian_000007\n",
        "bodleian_1_query": "bodleian_000004 0 0 60 40",
        "bodleian_1_good": "bodleian_000004\nbodleian_000007\n",
        "bodleian_1_ok": "",
        "bodleian_1_junk": "bodleian_000005\n\nbodleian_000006\n",
    }
    for name, text in write.items():
        (truth / f"{name}.txt").write_text(text)
    return images, truth


def describe(image):
    """Mean color of each of three thirds."""
    return torch.stack([part.mean((1, 2)) for part in image.chunk(3, dim=2)])


def test_ground_truth_as_published(oxford):
    souls, bodleian = read_ground_truth(oxford[1])
    assert (souls.name, souls.image, souls.roi) == ("all_souls_1", "all_souls_000001", (30, 10, 60, 40))
    assert souls.positives == {"all_souls_000001", "all_souls_000002", "all_souls_000003"}
    assert souls.junk == {"bodleian_000007"}
    assert bodleian.image == "bodleian_000004" and bodleian.junk == {"bodleian_000005", "bodleian_000006"}
    (oxford[1] / "bodleian_1_good.txt").write_text("bodleian_000004\nparis_louvre_000136\n")
    assert read_ground_truth(oxford[1])[1].positives == {"bodleian_000004"}


def test_retrieval_with_a_known_answer(oxford):
    """The red patch finds 2, 3 and its own image before anything blue; the blue image finds itself, junk, the image
    that is mostly blue, green, and red, in this order."""
    mean, each = evaluate_retrieval(describe, *oxford, longest_side=60)
    assert each["all_souls_1"] == 1
    blue, green = (torch.tensor(COLORS[name]).float() for name in ("blue", "green"))
    red = torch.tensor(COLORS["red"]).float()
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(blue, green, dim=0) > cosine(blue, red, dim=0)
    assert each["bodleian_1"] == pytest.approx((1 + 1 + 1 / 2 + 2 / 3) / 4)
    assert mean == pytest.approx((1 + each["bodleian_1"]) / 2)


def test_the_query_is_cropped_after_resizing(oxford):
    shapes = []

    def recording(image):
        shapes.append(tuple(image.shape))
        assert image.dtype == torch.float32 and image.min() >= 0 and image.max() <= 1
        return describe(image)

    evaluate_retrieval(recording, *oxford, longest_side=120)
    assert shapes[:7].count((3, 80, 120)) == 6 and shapes.count((3, 120, 80)) == 1
    assert shapes[7:] == [(3, 60, 60), (3, 80, 120)]
    crop = []
    evaluate_retrieval(lambda image: crop.append(image) or describe(image), *oxford, longest_side=120)
    reddish = crop[7][:, 4:-4, 4:-4].mean((1, 2)) * 255
    assert (reddish - torch.tensor(COLORS["red"])).abs().max() < 3


def test_retrieval_with_rmac_and_whitening_from_other_images(oxford, tmp_path):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 5, stride=2), torch.nn.ReLU())

    def describe(image):
        return rmac(network(image.unsqueeze(0) - 0.5))[0]

    rng = np.random.default_rng(0)
    for i in range(12):
        a, b = rng.integers(256, size=(2, 3))
        paint(tmp_path / "paris" / f"paris_defense_{i:06}.jpg", tuple(a.tolist()), tuple(b.tolist()), (10, 5, 40, 30))
    vectors = region_vectors(describe, tmp_path / "paris", longest_side=60)
    assert vectors.shape == (12 * len(rmac_regions(18, 28)), 16)
    whitening = Whitening.fit(vectors, 8)
    mean, each = evaluate_retrieval(describe, *oxford, whitening=whitening, longest_side=60)
    assert each["all_souls_1"] > 0.9 and mean == np.mean(list(each.values()))
    assert not vectors.requires_grad


def test_corrupted_images_are_passed_over(oxford):
    (oxford[0] / "paris_louvre_000136.jpg").write_bytes(b"broken")
    before = (oxford[1] / "bodleian_1_good.txt").read_text()
    expected = evaluate_retrieval(describe, *oxford, longest_side=60)
    (oxford[1] / "bodleian_1_good.txt").write_text(before + "paris_louvre_000136\n")
    assert evaluate_retrieval(describe, *oxford, longest_side=60) == expected
    assert len(CORRUPTED) == 20


def test_what_is_missing_or_broken_is_named(oxford, tmp_path):
    images, truth = oxford
    call = {"longest_side": 60}
    with pytest.raises(ValueError, match=r"holds no <name>_query\.txt"):
        read_ground_truth(images)
    with pytest.raises(ValueError, match=r"holds no \*\.jpg"):
        evaluate_retrieval(describe, truth, truth, **call)
    with pytest.raises(ValueError, match=r"all_souls_000002\.jpg: describe must give finite"):
        evaluate_retrieval(lambda image: describe(image) / (image[0].mean() < 0.8), *oxford, **call)
    with pytest.raises(ValueError, match=r"describe must give .* not \(3,\)"):
        evaluate_retrieval(lambda image: image.mean((1, 2)), *oxford, **call)
    (truth / "bodleian_1_query.txt").write_text("bodleian_000004 70 0 90 40")
    with pytest.raises(ValueError, match="lies outside the image"):
        evaluate_retrieval(describe, *oxford, **call)
    (truth / "bodleian_1_query.txt").write_text("bodleian_000004 0 0 60")
    with pytest.raises(ValueError, match=r"bodleian_1_query\.txt must hold"):
        read_ground_truth(truth)
    (truth / "bodleian_1_query.txt").write_text("bodleian_000004 0 0 60 40")
    (images / "all_souls_000002.jpg").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"all_souls_000002\.jpg cannot be read"):
        evaluate_retrieval(describe, *oxford, **call)
    (images / "all_souls_000002.jpg").unlink()
    (images / "bodleian_000004.jpg").unlink()
    with pytest.raises(ValueError, match=r"lacks images of the ground truth: all_souls_000002, bodleian_000004$"):
        evaluate_retrieval(describe, *oxford, **call)
    (truth / "bodleian_1_ok.txt").unlink()
    with pytest.raises(ValueError, match=r"lacks bodleian_1_ok\.txt"):
        read_ground_truth(truth)
