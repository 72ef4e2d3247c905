"""ADEC (reconstruction): adversarial deep embedded clustering, after Mrabah, Bouguessa & Ksantini, TKDE 2020.

This is a RECONSTRUCTION (arXiv 1909.11832): the authors published no code, and their text was not read. It is based on
the abstract (a discriminator reduces random features without drift) and on a third-party port for genomes
(baohq1595/meta-deep-binning, metadec/model/adec.py), corrected where the port appears wrong. Label all its results
"ADEC (reconstruction)".

| symbol | name in code        | shape  | meaning                                                              |
|--------|---------------------|--------|----------------------------------------------------------------------|
| e, g   | self.autoencoder_   |        | encoder and decoder, from ACAI                                       |
| D      | self._discriminator | → (B,) | logits for "sample" rather than "decoded from a code"                |
| mu_k   | self._centers       | (K, d) | trained together with the encoder                                    |
| q, p   | q, self._target     | (N, K) | DEC's Student t and its target, from all samples, once per epoch     |

| phase         | trained             | loss                                                                        |
|---------------|---------------------|-----------------------------------------------------------------------------|
| pretraining   | e, g and a critic   | ACAI, see `dcbook.training.acai`                                            |
| discriminator | D                   | -mean ln D(x) - mean ln(1 - D(g(e(x')))), x and x' the halves of a batch    |
| clustering    | D                   | the same                                                                    |
|               | e and mu            | KL(P || Q) - mean ln D(g(e(x)))                                             |
|               | g alone             | mean squared error of g(e(x)) and x                                         |

The idea: the encoder never gets the gradient of the reconstruction loss, so this loss cannot compete with clustering
(feature drift). The encoder's only regularizer is that decoded codes should look like samples. In each epoch the first
two thirds of the batches train g alone, and the last third trains all three networks.

Our choices: the sign of the adversarial term (the port adds the discriminator's own loss, which helps the
discriminator), with "minimax", +mean ln(1 - D(g(e(x)))), as a variant; one optimizer per network (the port shares one);
DynAE's views, and its network and shares of mixing for ACAI (the port folds a into [0, 0.5], with c uniform in [0, 1]);
k-means with 20 starts (the port: 100); the target once per epoch; the numbers of epochs. The discriminator is
d-500-1000-1, as in the port. Not followed: batches drawn with replacement, and pretraining on all samples at once,
where a batch appears intended.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models.fully_connected import perceptron
from dcbook.training.acai import ACAIPretraining
from dcbook.training.augment import ShiftRotation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.self_training import take_target

DISCRIMINATOR = (500, 1000)
ADVERSARIAL = ("non-saturating", "minimax")


@dataclass(kw_only=True, repr=False, eq=False)
class ADECReconstruction(DeepClusterer):
    """ADEC (reconstruction): a reconstruction of adversarial deep embedded clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    start : as in `DeepClusterer`; None is `ACAIPretraining()`.
    adversarial : the encoder's term, "non-saturating" or "minimax".
    warmup_epochs, epochs : epochs of the discriminator alone (10), and of the clustering (100); our choices.
    lr : step of Adam for each of the three networks (1e-4).
    shift, rotation : ranges of the views that are encoded, see `ShiftRotation`; ignored for vectors.

    `predict_proba` returns q. Raises ValueError for settings out of range.
    """

    start: Any = None
    adversarial: str = "non-saturating"
    warmup_epochs: int = 10
    epochs: int = 100
    lr: float = 1e-4
    shift: float = 0.1
    rotation: float = 10.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _default_recipe = ACAIPretraining
    _during_fit = (*DeepClusterer._during_fit, "_target", "_discriminator")
    _state = (*DeepClusterer._state, "_target")

    def _optimize(self) -> None:
        self._target = None
        with seeded(derived_seed(self.seed_, "discriminator")):
            sizes = [self._x[0].numel(), *DISCRIMINATOR, 1]
            self._discriminator = nn.Sequential(nn.Flatten(), *perceptron(sizes), nn.Flatten(0)).to(self._device)
        self._warm_up()
        self._cluster()

    def _warm_up(self) -> None:
        """Train the discriminator to distinguish samples from decoded codes."""
        self.autoencoder_.train()
        discriminator, order = self._discriminator, stream(self.seed_, "warm-up batches")
        optimizer = Adam(discriminator.parameters(), self.lr)
        loop = {"network": discriminator, "optimizer": optimizer, "order": order}
        for _, log in self._epochs("discriminator", self.warmup_epochs, **loop):
            total = torch.zeros((), device=self._x.device)
            for batch in self._batches(order):
                total += len(batch) * self._discriminator_step(self._samples(batch), optimizer)
            log(discriminator=total.item() / len(self._x))

    def _cluster(self) -> None:
        """Train the decoder, the discriminator, and the encoder with the centers, each on its own loss."""
        autoencoder, move = self.autoencoder_.train(), ShiftRotation(self.shift, self.rotation)
        self._centers = nn.Parameter(self._centers)
        of_encoder = Adam([*autoencoder.encoder.parameters(), self._centers], self.lr)
        of_decoder = Adam(autoencoder.decoder.parameters(), self.lr)
        of_discriminator = Adam(self._discriminator.parameters(), self.lr)
        order, noise = stream(self.seed_, "batches"), stream(self.seed_, "views")
        loop = {"network": self._discriminator, "encoder": of_encoder, "decoder": of_decoder}
        loop |= {"discriminator": of_discriminator, "order": order, "noise": noise}
        take_target(self)
        for _, log in self._epochs("clustering", self.epochs, **loop):
            parts = list(self._batches(order))
            told: list[Tensor] = []
            reconstruction = torch.zeros((), device=self._x.device)
            for i, batch in enumerate(parts):
                x = move(self._samples(batch), noise)
                if i >= 2 * len(parts) // 3:
                    discriminator = self._discriminator_step(x, of_discriminator)
                    told.append(torch.stack([discriminator, *self._encoder_step(x, batch, of_encoder)]))
                reconstruction += len(batch) * self._decoder_step(x, of_decoder)
            take_target(self)
            discriminator, realism, clustering = torch.stack(told).mean(0).tolist()
            about = {"reconstruction": reconstruction.item() / len(self._x), "discriminator": discriminator}
            log(loss=realism + clustering, realism=realism, clustering=clustering, **about)

    def _discriminator_step(self, x: Tensor, optimizer: Adam) -> Tensor:
        """One step on the halves of a batch, one real and one decoded, which share a sample if the batch is odd."""
        real, coded = x[: (len(x) + 1) // 2], x[len(x) // 2 :]
        with torch.no_grad():
            fake = self._reconstructed(coded)[1]
        loss = losses.discriminator_loss(self._discriminator(real), self._discriminator(fake))
        loss.backward()
        optimizer.step()
        return loss.detach()

    def _encoder_step(self, x: Tensor, rows: Tensor, optimizer: Adam) -> list[Tensor]:
        """One step of encoder and centers on views x of the samples `rows`; returns the adversarial term and the KL."""
        parts = self._encoder_losses(x, rows)
        sum(parts).backward(inputs=optimizer.weights)
        optimizer.step()
        return [part.detach() for part in parts]

    def _decoder_step(self, x: Tensor, optimizer: Adam) -> Tensor:
        """One step of the decoder, with constant codes."""
        with torch.no_grad():
            u = self.autoencoder_.encoder(x)
        loss = losses.mean_squared_error(x, self.autoencoder_.decoder(u))
        loss.backward()
        optimizer.step()
        return loss.detach()

    def _encoder_losses(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        u, x_hat = self._reconstructed(x)
        realism = losses.realism_loss(self._discriminator(x_hat), minimax=self.adversarial == "minimax")
        return realism, losses.kl_divergence(self._target.index_select(0, rows), self._soft_assignments(u))

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The encoder's adversarial term and KL(P || Q), without augmentation; {} before clustering begins."""
        x = self._samples(rows)
        if getattr(self, "_target", None) is None:
            return {}
        realism, clustering = self._encoder_losses(x, rows)
        return {"self": realism, "pseudo": clustering}

    def _soft_assignments(self, u: Tensor) -> Tensor:
        return losses.student_t(u, self._centers)

    def _check_hyperparameters(self) -> None:
        ShiftRotation(self.shift, self.rotation)
        if self.adversarial not in ADVERSARIAL:
            raise ValueError(f"adversarial must be one of {', '.join(ADVERSARIAL)}, not {self.adversarial!r}")
        if min(self.warmup_epochs, self.epochs) < 0 or self.lr <= 0:
            raise ValueError(
                f"warmup_epochs and epochs must be at least 0 and lr above 0, not {self.warmup_epochs}, {self.epochs}, "
                f"{self.lr}"
            )
