"""The supervised twin of an encoder: the same network, trained with the labels. For comparison, never a result."""

import numpy as np
import torch
from torch import nn


def train_with_labels(
    encoder: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    lr: float = 1e-3,
    seed: int = 0,
) -> float:
    """Train `encoder` in place, under a linear head, on the cross-entropy with Adam; returns its training accuracy.

    `images` (N, C, H, W), uint8 or float32 in [0, 1]; `labels` (N,), 0..K-1; `encoder`: (B, C, H, W) → (B, d). Head
    and batches come from `seed`; torch's global stream is left alone. A last batch of one image is left out, as batch
    normalization cannot train on it.
    """
    device = next(encoder.parameters()).device
    x = torch.tensor(images, dtype=torch.float32, device=device) / (255 if images.dtype == np.uint8 else 1)
    y = torch.tensor(labels, device=device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with torch.no_grad():
            latent_dim = encoder.eval()(x[:1]).shape[1]
        twin = nn.Sequential(encoder, nn.Linear(latent_dim, int(y.max()) + 1).to(device))
        optimizer = torch.optim.Adam(twin.parameters(), lr)
        for _ in range(epochs):
            twin.train()
            for batch in torch.randperm(len(x)).to(device).split(batch_size):
                if len(batch) > 1:
                    optimizer.zero_grad()
                    nn.functional.cross_entropy(twin(x[batch]), y[batch]).backward()
                    optimizer.step()
    twin.eval()
    with torch.inference_mode():
        found = torch.cat([twin(part).argmax(1) for part in x.split(batch_size)])
    return (found == y).float().mean().item()
