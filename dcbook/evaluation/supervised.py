"""Supervised training of an encoder with labels, for comparison only, and transfer to another data set.

Transfer continues training on the labeled images of another data set, as in DeepCluster's Table 2.
"""

import numpy as np
import torch
from torch import Tensor, nn

from dcbook.evaluation.probes import activations
from dcbook.models import ConvNet
from dcbook.training.inputs import in_batches, seeded
from dcbook.training.optimizers import Adam

Labeled = tuple[np.ndarray | Tensor, np.ndarray]


def train_with_labels(
    encoder: nn.Module,
    images: np.ndarray | Tensor,
    labels: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    lr: float = 1e-3,
    seed: int = 0,
    test: Labeled | None = None,
) -> float:
    """Train `encoder` in place with a linear head and Adam on the cross-entropy; return the accuracy in [0, 1].

    `images` (N, C, H, W), uint8 or float32 in [0, 1], or features of another network; `labels` (N,), 0..K-1; `encoder`:
    (B, C, H, W) → (B, d). The accuracy is measured on the images and labels of `test`, by default on the training
    samples. `seed` determines the head and the batches; torch's global generator is not changed. A last batch of one
    image joins the one before, because batch normalization cannot train on it.

    Raises ValueError for other labels, fewer than two images and a batch_size below 2.
    """
    device = next(encoder.parameters()).device
    x, y = _placed(images, labels, device)
    if min(len(x), batch_size) < 2:
        raise ValueError(f"at least two images and a batch_size of at least 2 are needed, not {len(x)}, {batch_size}")
    with seeded(seed):
        with torch.no_grad():
            latent_dim = encoder.eval()(x[:1]).shape[1]
        twin = nn.Sequential(encoder, nn.Linear(latent_dim, int(y.max()) + 1).to(device))
        optimizer = Adam(twin.parameters(), lr)
        for _ in range(epochs):
            twin.train()
            for batch in in_batches(torch.randperm(len(x)).to(device), batch_size):
                nn.functional.cross_entropy(twin(x[batch]), y[batch]).backward()
                optimizer.step()
    twin.eval()
    if test is not None:
        x, y = _placed(*test, device)
    with torch.inference_mode():
        found = torch.cat([twin(part).argmax(1) for part in x.split(batch_size)])
    return (found == y).float().mean().item()


def transferred(
    network: ConvNet, labeled: Labeled, test: Labeled, *, frozen: bool, epochs: int, batch_size: int = 64, seed: int = 0
) -> float:
    """Train a copy of `network` on the images and labels of another set, `labeled`; return the accuracy on `test`.

    fc6 to fc8 are initialized anew from `seed`. If `frozen`, only they are trained (the paper's FC6-8), and batch
    normalization keeps its statistics, scale and shift; the maps are standardized by their mean and deviation over
    `labeled`, as an untrained network has no statistics yet. Otherwise all layers are trained (ALL), including batch
    normalization, starting from the network's convolutions. For the other arguments see `train_with_labels`.
    """
    with seeded(seed):
        copy = ConvNet(**network.config).to(next(network.parameters()).device)
    copy.encoder.convolutions.load_state_dict(network.encoder.convolutions.state_dict())
    top = copy.encoder
    if frozen:  # the maps do not change, so they are computed once
        maps, test_maps = (_maps(copy, images) for images, _ in (labeled, test))
        deviation, mean = torch.std_mean(maps, 0, correction=0)
        deviation = deviation.where(deviation > 0, 1)
        labeled, test = ((maps - mean) / deviation, labeled[1]), ((test_maps - mean) / deviation, test[1])
        top = top[1:]
    options = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    return train_with_labels(nn.Sequential(top, nn.ReLU()), *labeled, **options, test=test)


def _maps(network: ConvNet, images: np.ndarray | Tensor) -> Tensor:
    """Outputs of the convolutions for images, in evaluation mode."""
    return activations(network, {"convolutions": network.encoder.convolutions}, images)["convolutions"]


def _placed(images: np.ndarray | Tensor, labels: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images as float32 and labels (N,) as int64 on the device; ValueError for labels of another form."""
    labels = np.asarray(labels)
    if labels.shape != (len(images),):
        raise ValueError(
            f"there must be one label for each of the {len(images)} images; labels have shape {labels.shape}"
        )
    if labels.dtype.kind not in "iub" or (labels < 0).any():
        raise ValueError("labels must be whole numbers from 0")
    x = torch.tensor(images, device=device) if isinstance(images, np.ndarray) else images.to(device)
    return x.float() / 255 if x.dtype == torch.uint8 else x.float(), torch.tensor(labels, device=device).long()
