"""What metrics and data sets are called in pictures and tables."""

import re

METRICS = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "f1_macro": "F1-macro", "f1_micro": "F1-micro"}
DATASETS = {
    "digits": "digits (8×8)",
    "digits-eights": "eights among digits (8×8)",
    "digits-rgb": "tinted digits (8×8)",
    "patches": "patches of two photographs",
    "arcs": "arcs",
    "mnist": "MNIST",
    "mnist-test": "MNIST test images",
    "fashion-mnist": "Fashion-MNIST",
    "fashion-mnist-test": "Fashion-MNIST test images",
    "2mnist": "2MNIST",
    "usps": "USPS",
    "cifar10": "CIFAR-10",
    "cifar100-20": "CIFAR-100-20",
    "cifar100-20-test": "CIFAR-100-20 test images",
    "stl10": "STL-10",
    "imagenet10": "ImageNet-10",
    "breastmnist": "BreastMNIST",
    "pneumoniamnist": "PneumoniaMNIST",
    "bloodmnist": "BloodMNIST",
    "vesselmnist3d": "VesselMNIST3D",
    "questions": "questions",
    "stackoverflow": "StackOverflow",
    "searchsnippets": "SearchSnippets",
    "biomedical": "Biomedical",
    "japanese-vowels": "JapaneseVowels",
    "japanese-vowels-means": "JapaneseVowels, means",
    "japanese-vowels-moments": "JapaneseVowels, means and deviations",
}
LEARNERS = {"simclr": "SimCLR", "moco": "MoCo"}


def named(metric: str) -> str:
    """A metric as it is written on an axis: "ACC", "F1-macro"; any other name, such as a layer's, as it is."""
    return METRICS.get(metric, metric)


def called(dataset: str) -> str:
    """A data set as a reader knows it: "usps" is "USPS", "cifar10-simclr-h" is "CIFAR-10, H space of SimCLR".

    Within a phrase each word that is a name is replaced; all else stays as it is.
    """
    if re.search(r"\s", dataset):
        return re.sub(r"[^\s,]+", lambda word: called(word[0]), dataset)
    if of := re.fullmatch(rf"(.+)-({'|'.join(LEARNERS)})-([hz])", dataset):
        base, learner, space = of.groups()
        return f"{called(base)}, {space.upper()} space of {LEARNERS[learner]}"
    return DATASETS.get(dataset, dataset)
