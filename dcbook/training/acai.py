"""Pretraining with ACAI, adversarially constrained autoencoder interpolation, as DynAE does it.

| symbol   | name in code | shape   | meaning                                                                   |
|----------|--------------|---------|---------------------------------------------------------------------------|
| x        | x            | (B, …)  | a batch, slightly shifted and rotated                                     |
| z, x̂     | u, x_hat     | (B, d), (B, …) | its codes and reconstructions                                      |
| a        | a            | (B,)    | U(0, 1), one for each sample                                              |
| x_int    | between      | (B, …)  | g(a z + (1 - a) z'), z' the codes in reverse order                        |
| b        | b            | ()      | 1/2 - |U(0, 1) - 1/2|, one for the batch                                  |
| critic   | critic       | → (B,)  | a second network of the encoder's shape; the mean of its outputs          |

The critic estimates the share a of x_int, with target 0 for b x + (1 - b) x̂; the autoencoder is trained to bring the
critic's output for x_int to 0. Source: nairouz/DynAE, DynAE.py:88-238 (networks), 315-384 (training), dynAE.ipynb
(settings).

Berthelot et al., ICLR 2019, arXiv 1807.07543, who proposed the method, also fold a into [0, 1/2] (from memory). Without
folding, x_int of samples i, j and share a equals x_int of j, i and 1 - a. Nothing in it distinguishes a from 1 - a, so
a critic can at best output 1/2 for interpolations and 0 for reconstructions; its loss lies between 1/12 and 1/12 + 1/8,
the loss of a constant output.

There are two critics. The paper describes a critic that is trained ("trained", the default; from memory). According to
the order of its statements, which were read and not run, the released code never trains its critic ("frozen"):
`aci_ae_constructor` sets `critic.trainable = False` (:219) when the networks are built, and the notebook compiles the
models of the critic and the autoencoder afterwards. Keras collects a model's trainable weights when it compiles the
model, so the critic's model has none and its updates change nothing. Hence critic(x_int)^2 uses the randomly
initialized network, whose scores are near 0; the gradients of the autoencoder pass through it, and the critic's loss is
computed without effect.

Details of the released code that are not followed because they appear unintended (read, not run):
    - its scores have shape (B,) and its a (B, 1), so that its first term compares each score with all B shares; here
      each score is compared with its own share;
    - Keras' `predict` computes the critic's x_int in chunks of 32, each reversed separately; here critic and
      autoencoder use the same x_int;
    - batches follow the order of the file; here they are shuffled in every epoch;
    - biases start from 0; here they have torch's default initialization, except in a frozen critic, where they stay 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.training.augment import ShiftRotation
from dcbook.training.inputs import derived_seed, stream
from dcbook.training.optimizers import Adam
from dcbook.training.pretraining import Recipe

CRITICS = ("trained", "frozen")


@dataclass(frozen=True, repr=False)
class ACAIPretraining(Recipe):
    """A recipe: an autoencoder whose interpolations a critic cannot tell from reconstructions, then k-means.

    Parameters
    ----------
    In addition to those of `Recipe`:

    epochs, lr : 475 epochs of Adam with 1e-4 for both networks, equal to 130,000 batches of 256 on MNIST's 70,000
        images. The source makes the same number of updates on every data set: 33,280,000 / N epochs on N samples.
    lam : lambda, at least 0: weight of the interpolations (0.5).
    shift, rotation : ranges of the views that are encoded and reconstructed, see `ShiftRotation`; ignored for vectors.
    critic : "trained", as the paper describes it, or "frozen", which keeps its random initial weights, as the released
        code does according to its compile order (read, not run: DynAE.py:219, dynAE.ipynb).

    The history of a fit has the means of `reconstruction`, `interpolation` (critic(x_int)^2, without lambda) and
    `critic` (the critic's loss, which has no effect if the critic is frozen). Raises ValueError for settings out of
    range.
    """

    epochs: int = 475
    lr: float = 1e-4
    lam: float = 0.5
    shift: float = 0.1
    rotation: float = 10.0
    critic: str = "trained"

    def __post_init__(self):
        super().__post_init__()
        ShiftRotation(self.shift, self.rotation)
        if self.lam < 0:
            raise ValueError(f"lam must be at least 0, not {self.lam}")
        if self.critic not in CRITICS:
            raise ValueError(f"critic must be one of {list(CRITICS)}, not {self.critic!r}")

    def _updates(self, autoencoder, x, seed):
        critic = self.build(x.shape[1:], derived_seed(seed, "critic")).encoder.to(x.device)
        weights = list(autoencoder.parameters())
        optimizer, critic_optimizer = Adam(weights, self.lr), Adam(critic.parameters(), self.lr)
        view, noise = ShiftRotation(self.shift, self.rotation), stream(seed, "pretraining views")
        learns = self.critic == "trained"
        if not learns:
            for name, weight in critic.named_parameters():
                if name.endswith("bias"):
                    nn.init.zeros_(weight)  # Keras' initial value, which they keep

        def update(x: Tensor) -> dict[str, Tensor]:
            x = view(x, noise)
            a = torch.rand(len(x), 1, generator=noise).to(x)
            b = 0.5 - (torch.rand((), generator=noise).to(x) - 0.5).abs()
            u, x_hat = autoencoder(x)
            between = autoencoder.decoder(a * u + (1 - a) * u.flip(0))
            reconstruction, realism = losses.mean_squared_error(x, x_hat), critic(between).mean(1)
            losses.acai_loss(reconstruction, realism, self.lam).backward(inputs=weights)
            optimizer.step()
            blended = b * x.flatten(1) + (1 - b) * x_hat.detach().flatten(1)
            seen = torch.cat([between.detach().flatten(1), blended]).unflatten(1, x.shape[1:])
            with torch.set_grad_enabled(learns):
                told_between, told_blended = critic(seen).mean(1).chunk(2)
                guess = losses.critic_loss(told_between, a.flatten(), told_blended)
            if learns:
                guess.backward()
                critic_optimizer.step()
            return {"reconstruction": reconstruction, "interpolation": realism.square().mean(), "critic": guess}

        kept = {"critic": critic, "optimizer": optimizer, "critic_optimizer": critic_optimizer, "noise": noise}
        return update, kept
