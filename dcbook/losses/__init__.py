"""The losses of the book by family: one pure function per equation, tensors in, tensor out.

| symbol      | name in code   | shape     | meaning                                     |
|-------------|----------------|-----------|---------------------------------------------|
| x_i, x̂_i    | x, x_hat       | (B, ...)  | samples and their reconstructions           |
| u_i, z_i    | u              | (B, d)    | latent codes                                |
| mu_k        | centers        | (K, d)    | cluster centers in the latent space         |
| p_ik        | p              | (B, K)    | DCSS: membership in u space, Eq. (2)        |
| q_ik        | q              | (B, K)    | DCSS: output of MNet; DEC: Student's t      |
| s_ij        | similarity     | (B, B)    | inner products of two rows of p, or of q    |

Each family's file names its papers and says how they were checked.
"""

from dcbook.losses.adversarial import (
    acai_loss,
    critic_loss,
    discriminator_loss,
    origin_loss,
    realism_loss,
    unconflicted,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from dcbook.losses.assignments import (
    balanced_cross_entropy,
    cluster_contrast,
    entropy,
    imbalance,
    neighbor_disagreement,
    partition_confusion,
)
from dcbook.losses.contrastive import info_nce, nt_xent, swapped_prediction
from dcbook.losses.dcss import (
    cluster_loss,
    memberships,
    pairwise_loss,
    rounded,
    weighted_centering,
    weighted_centers,
    weighted_reconstruction,
)
from dcbook.losses.dec import kl_divergence, student_t, student_t_by_dimension, target_distribution
from dcbook.losses.distances import mean_squared_error, squared_distances, squared_error
from dcbook.losses.kmeans_like import dcn_loss, running_means, soft_kmeans
from dcbook.losses.neighbors import neighbor_reconstruction
from dcbook.losses.spectral import gaussian_affinity, orthonormalizer, pair_loss, spectral_loss
from dcbook.losses.subspaces import column_lengths, subspace_affinity, subspace_overlap
from dcbook.losses.variational import bernoulli_error, log_full_mixture, log_mixture, mixture_divergence

__all__ = [
    "acai_loss",
    "balanced_cross_entropy",
    "bernoulli_error",
    "cluster_contrast",
    "cluster_loss",
    "column_lengths",
    "critic_loss",
    "dcn_loss",
    "discriminator_loss",
    "entropy",
    "gaussian_affinity",
    "imbalance",
    "info_nce",
    "kl_divergence",
    "log_full_mixture",
    "log_mixture",
    "mean_squared_error",
    "memberships",
    "mixture_divergence",
    "neighbor_disagreement",
    "neighbor_reconstruction",
    "nt_xent",
    "origin_loss",
    "orthonormalizer",
    "pair_loss",
    "pairwise_loss",
    "partition_confusion",
    "realism_loss",
    "rounded",
    "running_means",
    "soft_kmeans",
    "spectral_loss",
    "squared_distances",
    "squared_error",
    "student_t",
    "student_t_by_dimension",
    "subspace_affinity",
    "subspace_overlap",
    "swapped_prediction",
    "target_distribution",
    "unconflicted",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
    "weighted_centering",
    "weighted_centers",
    "weighted_reconstruction",
]
