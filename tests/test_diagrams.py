"""The diagrams of the paradigms say what the paper's abstract and captions say."""

from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from dcbook.chapters.rdc.paradigms import FIG4_FIG5
from dcbook.chapters.rdc.pictures import PSEUDO, SELF, paradigms


def test_pseudo_labels_make_features_random_and_what_stands_beside_them_decides_the_rest():
    for row in FIG4_FIG5:
        pseudo = any(kind == "pseudo" for phase in row.phases for kind, _ in phase.signals)
        together = any(len(phase.signals) > 1 for phase in row.phases)
        in_turn = pseudo and len(row.phases) > 1 and not together
        said = {"Feature Randomness": pseudo, "Feature Drift": together, "Feature Twist": in_turn}
        assert set(row.failures) == {failure for failure, holds in said.items() if holds}


def test_every_signal_is_a_box_of_its_kind_in_the_order_of_training():
    figure = paradigms()
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
    wanted = [kind for row in FIG4_FIG5 for phase in row.phases for kind, _ in phase.signals]
    colors = {to_rgb(SELF): "self", to_rgb(PSEUDO): "pseudo"}
    assert [colors[tuple(box.get_facecolor()[:3])] for box in boxes] == wanted
    lefts = [box.get_x() for box in boxes]
    assert lefts[1] < lefts[2] and lefts[3] < lefts[4] < lefts[5]
    said = {text.get_text() for text in figure.axes[0].texts}
    assert {"pretraining", "fine-tuning", "images", "weights"} <= said
    plt.close(figure)
