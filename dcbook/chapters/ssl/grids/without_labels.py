"""Where labels are expensive: clusters of medical images and of spoken vowels, beside linear probes.

The length of training is set by the size of each set, in updates, before any run; no setting was changed afterwards.
"""

from dataclasses import replace

from dcbook.chapters.ssl.watches.probed import Probed
from dcbook.experiments.runs import Method, Run, Scale, Seeds, runs
from dcbook.methods import DEC, AEKMeans, MiniBatchKMeans, Pretraining

K_MEANS, AE, DEEP = "k-means", "AE+k-means", "DEC"
COMPONENTS = 50  # principal components of medical images that k-means clusters


def beside_k_means(scale: Scale, recipe: Pretraining, updates: int, pca_dim: int | None, few: int = 10) -> Scale:
    """k-means on the samples or their principal components, k-means on an autoencoder's codes, and DEC from there.

    updates : of DEC, with a new target after each tenth of them. few : labels a class that a probe sees.
    """
    dec = {
        "max_updates": updates,
        "update_interval": updates // 10,
        "tol": 0.0,
        "batch_size": recipe.batch_size,
    }
    methods = {
        K_MEANS: Method(MiniBatchKMeans, {"batch_size": None, "pca_dim": pca_dim, "n_init": 20}),
        AE: Method(AEKMeans, start="autoencoder"),
        DEEP: Method(DEC, dec, start="autoencoder"),
    }
    methods = {name: replace(method, watch=Probed(few)) for name, method in methods.items()}
    return replace(scale, methods=methods, starts={"autoencoder": Method(AEKMeans, {"start": recipe})}, monitor_every=0)


def _laptop(dataset: str, seeds: int, **recipe) -> Scale:
    pca_dim = None if "vowels" in dataset else COMPONENTS
    start = Pretraining(**{"widths": (256, 512), "batch_size": 64} | recipe)
    return beside_k_means(Scale({dataset: {}}, tuple(range(seeds)), name="laptop"), start, 300, pca_dim)


def _paper(dataset: str) -> Scale:
    pca_dim = None if "vowels" in dataset else COMPONENTS
    return beside_k_means(Scale({dataset: {}}, tuple(range(10)), name="paper"), Pretraining(), 20_000, pca_dim)


def _quick(dataset: str) -> Scale:
    start = Pretraining(widths=(64,), latent_dim=8, epochs=15, batch_size=64)
    return beside_k_means(Scale({dataset: {"subset": 600}}, (0, 1, 2), name="quick"), start, 100, 30)


# Updates of pretraining at `laptop`: 1,040 on BreastMNIST, 1,150 on PneumoniaMNIST, 450 on VesselMNIST3D, 1,000 on
# JapaneseVowels. A volume has 28 times as many numbers as an image, so its first layer is narrower.
# At `quick`, digits stand in for both: "is it an eight?" for a diagnosis, "which digit?" for a speaker.
MEDICAL = {
    "quick": (_quick("digits-eights"),),
    "laptop": (
        _laptop("breastmnist", 5, epochs=80),
        _laptop("pneumoniamnist", 3, epochs=50, batch_size=256),
        _laptop("vesselmnist3d", 3, epochs=15, widths=(64, 256)),
    ),
    "paper": tuple(_paper(name) for name in ("breastmnist", "pneumoniamnist", "vesselmnist3d")),
}
SOUND = {
    "quick": (_quick("digits"),),
    "laptop": (_laptop("japanese-vowels", 5, epochs=100),),
    "paper": (_paper("japanese-vowels"),),
}
PROBED = {name: scales[0] for name, scales in MEDICAL.items()}  # one of each, for the parameters of the page
SUMMARIES = ("japanese-vowels-moments", "japanese-vowels-means")


def medical(scale: str, seeds: Seeds = None) -> list[Run]:
    """The three methods on images of which a diagnosis is known."""
    return [run for each in MEDICAL[scale] for run in runs(each, seeds=seeds)]


def sound(scale: str, seeds: Seeds = None) -> list[Run]:
    """The three methods on utterances of 20 frames of which the speaker is known."""
    return [run for each in SOUND[scale] for run in runs(each, seeds=seeds)]


def summaries(scale: str, seeds: Seeds = None) -> list[Run]:
    """k-means on summaries over the frames of an utterance; none at `quick`, which has no utterances."""
    if scale == "quick":
        return []
    scales = [replace(each, datasets={name: {} for name in SUMMARIES}) for each in SOUND[scale]]
    return [run for each in scales for run in runs(each, [K_MEANS], seeds=seeds)]
