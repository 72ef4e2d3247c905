"""Settings that were chosen with labels in view: what the pages of all chapters state, against the code."""

import dcbook.methods
from dcbook.chapters.deepcluster import grids as deepcluster
from dcbook.chapters.ssl.grids import GRIDS
from tests.prose.conftest import state


def test_which_settings_were_chosen_with_labels_in_view():
    assert dcbook.methods.vade.FIRST_SPREAD == 0.1, "a tenth"
    tenth = "q(z | x) starts with a tenth of the variance of the mixture's components"
    state(
        "README.md",
        "no dropout (also in the chapter on self-supervision) and five passes between clusterings. The third is "
        f"VaDE's: {tenth}, chosen with the labels of the digits in view.",
    )
    state("dcss/table1_benchmark", f"with one exception: VaDE's {tenth}, which was chosen with the labels")
    state(
        "notebooks/dcss/DEVIATIONS.md",
        "The variance of q(z given x) starts at a tenth of that of the mixture's components, which was chosen with the "
        "labels of the digits in view",
    )
    state("notebooks/deepcluster/DEVIATIONS.md", "**Two settings were chosen with labels in view.** Dropout:")
    chosen = "Labels had a say in DeepCluster's dropout of 0 and its five passes between two clusterings"
    state("notebooks/rdc/DEVIATIONS.md", chosen, "in the initial variance of VaDE's q(z given x)")
    small = [run for run in deepcluster.GRIDS["relatives"]("laptop", [0]) if run.method == "DeepCluster"]
    assert [(run.params["dropout"], run.params["reassign"]) for run in small] == [(0, 5)]


def test_deepcluster_has_no_dropout_in_the_chapter_on_self_supervision():
    found = []
    for grid in GRIDS.values():
        for scale in ("quick", "laptop", "paper"):
            runs = [run for run in grid(scale) if run.cls is dcbook.methods.DeepCluster]
            found += [run.params.get("dropout", run.cls.dropout) for run in runs]
    assert len(found) > 50 and not any(found) and dcbook.methods.DeepCluster.dropout == 0.5
    state(
        "notebooks/ssl/DEVIATIONS.md",
        "DeepCluster has no dropout on any page of this chapter (`dropout=0`; released: 0.5), a setting that was "
        "chosen with labels in view",
    )
