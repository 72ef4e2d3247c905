"""Classification of Pascal VOC 2007 with a pretrained network, DeepCluster's Table 2.

The code follows the released PyTorch script, eval_voc_classif.py. (The released Caffe scripts train longer, 150,000
iterations, and all layers at a rate of 0.001.) Differences from the script:

- Images are drawn in a new order in each epoch; the script shuffles them once.
- If all layers are trained, the convolutions start from the given weights, as in the paper; the script reinitializes
  them.
- The last layer is initialized with N(0, 0.01) like the others; the script keeps torch's default, which is about as
  wide.
- Images with equal scores are treated as ties, by scikit-learn; in the script, those with the class come last.

The paper's 72.0 mAP for frozen convolutions was obtained by training the scale and shift of their batch normalization
(`train_batch_norm`); without it, the authors state 70.4.
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
    """Labels (20,) int64, in the order of `VOC_CLASSES`, from an annotation of torchvision's VOCDetection.

    The label is 1 for a class with an object that is not "difficult", -1 for a class with difficult objects only, and 0
    for a class without objects. (The published lists, ImageSets/Main/<class>_<set>.txt, use 1, 0 and -1 for these.)
    Raises ValueError for unknown classes.
    """
    labels = torch.full((len(VOC_CLASSES),), NEGATIVE)
    for found in annotation["annotation"]["object"]:
        if found["name"] not in VOC_CLASSES:
            raise ValueError(f"{found['name']!r} is not a class of VOC 2007; these are {', '.join(VOC_CLASSES)}")
        k = VOC_CLASSES.index(found["name"])
        if found.get("difficult", "0") == "0":
            labels[k] = POSITIVE
        elif labels[k] == NEGATIVE:
            labels[k] = MASKED
    return labels


def masked_bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of logits (B, 20), summed over classes and averaged over images, ignoring labels of -1."""
    losses = F.binary_cross_entropy_with_logits(logits, labels.clamp_min(0).to(logits), reduction="none")
    return losses.where(labels != MASKED, 0).sum() / len(logits)


def voc2007(folder: str | Path, image_set: str = "trainval", *, size: int = 224) -> Dataset:
    """VOC 2007 through torchvision.datasets.VOCDetection, as random crops (3, size, size) and their labels (20,).

    A crop is a square of a tenth to a half of the image's area, mirrored with probability 1/2; colors are normalized by
    ImageNet's mean and standard deviation. `folder` holds VOCdevkit/VOC2007 with its Annotations,
    ImageSets/Main and JPEGImages; `image_set` is "train", "val", "trainval" or "test". Raises ValueError that names
    missing files.
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
        raise ValueError(f"{lists} names {len(dataset)} images, but {len(missing)} files are missing: {missing[:5]}")
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
    features : the pretrained part with its Sobel filter: images (B, 3, H, W) → (B, …), which is flattened. It stays in
        evaluation mode: batch normalization keeps its statistics
    classifier : the following layers (B, d) → (B, K), the last of them (fc8) an nn.Linear. A copy is trained, whose
        last layer has 20 units; all nn.Linear get new weights from N(0, 0.01) and biases of 0.1. Dropout is active
    dataset : images and labels (20,) of 1, 0 and -1, such as `voc2007`
    frozen : whether to train only the classifier (the table's FC6-8) instead of all layers
    train_batch_norm : if frozen, also train the scale and shift of the features' batch normalization
    iterations, batch_size, lr, weight_decay : defaults of the released script
    halve_every : number of iterations after which the rate is halved
    max_norm : gradients are clipped to this norm
    seed : seed of the initial weights, the order of the images, their crops, and dropout; torch's global generator is
        not used
    workers : number of processes that read images; the crops depend on it

    Returns the network in evaluation mode, images → logits (B, 20), on the device of `features`; the arguments
    `features` and `classifier` are not changed. Raises ValueError for settings out of range and a classifier that does
    not end in an nn.Linear, RuntimeError for gradients that are not finite.
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
    """mAP and the average precision of each class, in [0, 1], by scikit-learn, from logits summed over random crops.

    `dataset` returns labels (20,) and a new random crop at each access, such as `voc2007`. Images with label -1 for a
    class are ignored for that class; classes without a positive are left out. The network is put into evaluation mode.
    `seed` and `workers` are as in `fit_voc`. Raises ValueError if there are no crops, images or positives.
    """
    if crops < 1 or not len(dataset):
        raise ValueError(f"at least one crop and one image are needed, not {crops} crops of {len(dataset)} images")
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
        raise ValueError("no image has a class that is not masked as difficult, so there are no positives")
    return sum(precisions.values()) / len(precisions), precisions


def _renewed(classifier: nn.Module) -> nn.Module:
    """A copy with 20 units in the last layer and newly initialized weights."""
    renewed = nn.Sequential(copy.deepcopy(classifier))  # a container, because the classifier may be a single layer
    name, top = list(renewed.named_modules())[-1]
    if not isinstance(top, nn.Linear):
        raise ValueError(f"the last layer of the classifier must be an nn.Linear, not {type(top).__name__}")
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
