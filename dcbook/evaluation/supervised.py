"""The supervised twin of an encoder: the same network, trained with the labels. For comparison, never a result.

And what a network is worth on another set, when it goes on from there with labels: DeepCluster's Table 2.
"""

import numpy as np
import torch
from torch import Tensor, nn

from dcbook.evaluation.probes import activations
from dcbook.models import ConvNet
from dcbook.training.inputs import seeded
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
    """Train `encoder` in place, under a linear head, on the cross-entropy with Adam; returns its accuracy in [0, 1].

    `images` (N, C, H, W), uint8 or float32 in [0, 1], or what another network made of them; `labels` (N,), 0..K-1;
    `encoder`: (B, C, H, W) → (B, d). The accuracy is that on the images and labels of `test`, by default on those of
    the training. Head and batches come from `seed`; torch's global stream is left alone. A last batch of one image is
    left out, as batch normalization cannot train on it.
    """
    device = next(encoder.parameters()).device
    x, y = _placed(images, device), torch.tensor(labels, device=device)
    with seeded(seed):
        with torch.no_grad():
            latent_dim = encoder.eval()(x[:1]).shape[1]
        twin = nn.Sequential(encoder, nn.Linear(latent_dim, int(y.max()) + 1).to(device))
        optimizer = Adam(twin.parameters(), lr)
        for _ in range(epochs):
            twin.train()
            for batch in torch.randperm(len(x)).to(device).split(batch_size):
                if len(batch) > 1:
                    nn.functional.cross_entropy(twin(x[batch]), y[batch]).backward()
                    optimizer.step()
    twin.eval()
    if test is not None:
        x, y = _placed(test[0], device), torch.tensor(test[1], device=device)
    with torch.inference_mode():
        found = torch.cat([twin(part).argmax(1) for part in x.split(batch_size)])
    return (found == y).float().mean().item()


def transferred(
    network: ConvNet, labeled: Labeled, test: Labeled, *, frozen: bool, epochs: int, batch_size: int = 64, seed: int = 0
) -> float:
    """Accuracy on `test`, images and labels of another set, of a copy of `network` trained on those of `labeled`.

    fc6 to fc8 begin anew, from `seed`. `frozen`: only they are trained (the paper's FC6-8), and batch normalization
    keeps its statistics, scale and shift; their maps are standardized by those of `labeled`, as an untrained network
    has no statistics yet. If not, all layers are (ALL), from the network's convolutions on, batch normalization too.
    `train_with_labels` has the rest.
    """
    with seeded(seed):
        copy = ConvNet(**network.config).to(next(network.parameters()).device)
    copy.encoder.convolutions.load_state_dict(network.encoder.convolutions.state_dict())
    top = copy.encoder
    if frozen:  # what never changes is computed once
        maps, test_maps = (_maps(copy, images) for images, _ in (labeled, test))
        deviation, mean = torch.std_mean(maps, 0, correction=0)
        deviation = deviation.where(deviation > 0, 1)
        labeled, test = ((maps - mean) / deviation, labeled[1]), ((test_maps - mean) / deviation, test[1])
        top = top[1:]
    options = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
    return train_with_labels(nn.Sequential(top, nn.ReLU()), *labeled, **options, test=test)


def _maps(network: ConvNet, images: np.ndarray | Tensor) -> Tensor:
    """What the convolutions make of images, in evaluation mode."""
    return activations(network, {"convolutions": network.encoder.convolutions}, images)["convolutions"]


def _placed(images: np.ndarray | Tensor, device: torch.device) -> Tensor:
    x = torch.tensor(images, device=device) if isinstance(images, np.ndarray) else images.to(device)
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()
