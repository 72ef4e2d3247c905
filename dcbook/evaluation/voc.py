"""Classification of Pascal VOC 2007 on top of a pretrained network, DeepCluster's Table 2.

Followed is the released PyTorch script, eval_voc_classif.py (scripts for Caffe are released as well: they train longer,
150,000 iterations, and all layers at a rate of 0.001). What differs from it:

- Images are drawn in a new order in each epoch; it shuffles them once.
- Trained altogether, the convolutions begin where they were given, as in the paper; the script redraws them first.
- The last layer begins with N(0, 0.01) as the others; there it keeps torch's default, which is about as wide.
- Images with equal scores are ranked as equal, by scikit-learn; there, those with the class come last.

The 72.0 mAP that the paper has for frozen convolutions were had by training the scale and shift of their batch
normalization; without, the authors state 70.4. That is `train_batch_norm`.
"""

import copy
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader, Dataset

from dcbook.training.inputs import seeded

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
POSITIVE, NEGATIVE, MASKED = 1, 0, -1


def voc_labels(annotation: dict) -> Tensor:
    """Labels (20,) int64, in the order of `VOC_CLASSES`, of an annotation as torchvision's VOCDetection gives it.

    1 for a class with an object that is not "difficult", -1 for one with difficult objects alone, 0 for one with none.
    (The published lists, ImageSets/Main/<class>_<set>.txt, have 1, 0 and -1 for these.) Raises ValueError for unknown
    classes.
    """
    labels = torch.full((len(VOC_CLASSES),), NEGATIVE)
    for found in annotation["annotation"]["object"]:
        if found["name"] not in VOC_CLASSES:
            raise ValueError(f"{found['name']!r} is no class of VOC 2007, which are {', '.join(VOC_CLASSES)}")
        k = VOC_CLASSES.index(found["name"])
        if found.get("difficult", "0") == "0":
            labels[k] = POSITIVE
        elif labels[k] == NEGATIVE:
            labels[k] = MASKED
    return labels


def masked_bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of logits (B, 20), summed over classes, averaged over images; labels of -1 don't count."""
    losses = F.binary_cross_entropy_with_logits(logits, labels.clamp_min(0).to(logits), reduction="none")
    return losses.where(labels != MASKED, 0).sum() / len(logits)


def voc2007(folder: str | Path, image_set: str = "trainval", *, size: int = 224) -> Dataset:
    """VOC 2007 through torchvision.datasets.VOCDetection, as random crops (3, size, size) and their labels (20,).

    A crop is a tenth to a half of the image, square, and mirrored or not; colors are normalized by ImageNet's mean and
    deviation. `folder` holds VOCdevkit/VOC2007 with its Annotations, ImageSets/Main and JPEGImages; `image_set` is
    "train", "val", "trainval" or "test". Raises ValueError that names what is missing.
    """
    from torchvision import transforms
    from torchvision.datasets import VOCDetection

    lists = Path(folder) / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main" / f"{image_set}.txt"
    if not lists.is_file():
        raise ValueError(f"{lists} is missing: unpack VOCtrainval_06-Nov-2007.tar and VOCtest_06-Nov-2007.tar there")
    crops = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomResizedCrop(size, scale=(0.1, 0.5), ratio=(1, 1)),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_DEVIATION),
        ]
    )
    dataset = VOCDetection(folder, "2007", image_set, transform=crops, target_transform=voc_labels)
    missing = [path for path in (*dataset.images, *dataset.annotations) if not Path(path).is_file()]
    if missing or not len(dataset):
        raise ValueError(
            f"{lists} names {len(dataset)} images, of which {len(missing)} files are missing: {missing[:5]}"
        )
    return dataset


def fit_voc(
    features: nn.Module,
    classifier: nn.Module,
    dataset: Dataset,
    *,
    frozen: bool = True,
    train_batch_norm: bool = False,
    iterations: int = 80_000,
    batch_size: int = 16,
    lr: float = 0.003,
    weight_decay: float = 1e-6,
    halve_every: int = 5000,
    max_norm: float = 10.0,
    seed: int = 0,
    workers: int = 0,
) -> nn.Module:
    """Train a network of `features` and a new `classifier` on VOC 2007, by SGD with momentum 0.9 on `masked_bce`.

    Parameters
    ----------
    features : the pretrained part: images (B, 3, H, W) → (B, …), flattened then; Sobel filters belong to it. It is in
        evaluation mode throughout: batch normalization keeps its statistics
    classifier : (B, d) → (B, K), the layers that follow, down to the top one (fc8), an nn.Linear: copied, that one with
        20 units; all nn.Linear begin anew with weights from N(0, 0.01) and biases of 0.1. Dropout is on
    dataset : images and labels (20,) of 1, 0 and -1, such as `voc2007`
    frozen : train the classifier only (the table's FC6-8), or all
    train_batch_norm : if frozen, train the scale and shift of the features' batch normalization all the same
    iterations, batch_size, lr, weight_decay : of the released script
    halve_every : iterations after which the rate is halved
    max_norm : that gradients are clipped to
    seed : of the first weights, the order of the images, their crops, and dropout; torch's global stream is left alone
    workers : processes that read images; the crops depend on how many they are

    Returns the network in evaluation mode, images → logits (B, 20), on the device of `features`, in which and in
    `classifier` nothing is changed. Raises ValueError for settings out of range and a classifier that doesn't end in an
    nn.Linear, RuntimeError for gradients that are no longer finite.
    """
    if min(iterations, batch_size, halve_every) < 1 or not (lr > 0 and weight_decay >= 0 and max_norm > 0):
        given = f"{iterations}, {batch_size}, {halve_every}, {lr}, {weight_decay}, {max_norm}"
        raise ValueError(
            "iterations, batch_size and halve_every must be at least 1, lr and max_norm above 0 and weight_decay at "
            f"least 0, not {given}"
        )
    with seeded(seed):
        network = nn.Sequential(copy.deepcopy(features), nn.Flatten(), _renewed(classifier))
        device = next((parameter.device for parameter in features.parameters()), torch.device("cpu"))
        network.to(device).train()
        network[0].eval()
        if frozen:
            network[0].requires_grad_(False)
            for layer in network[0].modules():
                if train_batch_norm and isinstance(layer, _BatchNorm):
                    layer.requires_grad_(True)
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, lr, momentum=0.9, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, halve_every, 0.5)
        loader = DataLoader(dataset, batch_size, shuffle=True, num_workers=workers)
        for images, labels in islice(_again_and_again(loader), iterations):
            optimizer.zero_grad()
            masked_bce(network(images.to(device)), labels.to(device)).backward()
            nn.utils.clip_grad_norm_(trained, max_norm, error_if_nonfinite=True)
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def evaluate_voc(
    network: nn.Module, dataset: Dataset, *, crops: int = 10, batch_size: int = 16, seed: int = 0, workers: int = 0
) -> tuple[float, dict[str, float]]:
    """mAP and the average precision of each class, in [0, 1], by scikit-learn, of logits summed over random crops.

    `dataset` gives another crop of an image each time, such as `voc2007`, and labels (20,). Images whose label for a
    class is -1 don't count in it; classes without a positive are left out. The network is put into evaluation mode.
    `seed`, `workers`: as in `fit_voc`.
    """
    if crops < 1 or not len(dataset):
        raise ValueError(f"there must be at least one crop, not {crops}, of at least one image")
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    network.eval()
    scores, labels = 0.0, torch.empty(0)
    with seeded(seed):
        loader = DataLoader(dataset, batch_size, num_workers=workers)
        for _ in range(crops):
            batches = [(network(images.to(device)).cpu(), truth) for images, truth in loader]
            logits, labels = (torch.cat(part) for part in zip(*batches, strict=True))
            scores = scores + logits
    precisions = {}
    for name, score, truth in zip(VOC_CLASSES, scores.T, labels.T, strict=True):
        counts = truth != MASKED
        if (truth == POSITIVE).any():
            precisions[name] = float(average_precision_score(truth[counts].numpy(), score[counts].numpy()))
    if not precisions:
        raise ValueError("no image has a class that is not masked as difficult: nothing can be found")
    return sum(precisions.values()) / len(precisions), precisions


def _renewed(classifier: nn.Module) -> nn.Module:
    """A copy with 20 units in the last layer, and new weights."""
    renewed = nn.Sequential(copy.deepcopy(classifier))  # one step up, for a classifier that is a layer itself
    name, top = list(renewed.named_modules())[-1]
    if not isinstance(top, nn.Linear):
        raise ValueError(f"the classifier must end in an nn.Linear, its top layer, not in {type(top).__name__}")
    renewed.set_submodule(name, nn.Linear(top.in_features, len(VOC_CLASSES)))
    for layer in renewed.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.1)
    return renewed[0]


def _again_and_again(loader: DataLoader) -> Iterator:
    while True:
        yield from loader
