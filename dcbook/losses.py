"""The losses of the book: one pure function per equation, tensors in, tensor out.

| symbol      | name in code   | shape     | meaning                                     |
|-------------|----------------|-----------|---------------------------------------------|
| x_i, x̂_i    | x, x_hat       | (B, ...)  | samples and their reconstructions           |
| u_i, z_i    | u              | (B, d)    | latent codes                                |
| mu_k        | centers        | (K, d)    | cluster centers in the latent space         |
| p_ik        | p              | (B, K)    | DCSS: membership in u space, Eq. (2)        |
| q_ik        | q              | (B, K)    | DCSS: output of MNet; DEC: Student's t      |
| s_ij        | similarity     | (B, B)    | inner products of two rows of p, or of q    |

DCSS: Sadeghi & Armanfard 2024, arXiv 2405.03590. The bodies of its Eqs. (1)-(5) are rebuilt from the paper's words and
the released code, which agree. DEC: Xie et al. 2016, arXiv 1511.06335. IDEC: Guo et al. 2017. DCN: Yang et al. 2017,
arXiv 1610.04794, DKM: Moradi Fard et al. 2020, arXiv 1806.10069, VaDE: Jiang et al. 2017, arXiv 1611.05148, SimCLR:
Chen et al. 2020, arXiv 2002.05709, MoCo: He et al. 2020, arXiv 1911.05722, SwAV: Caron et al. 2020, arXiv 2006.09882:
these six as recalled and as released, not checked against the papers' texts. ACAI and DynAE: Mrabah et al. 2020, arXiv
1901.07752, as released. FT-VGAE: Mrabah et al. 2022, supplement, App. C.
"""

import torch
from torch import Tensor


def squared_distances(u: Tensor, centers: Tensor) -> Tensor:
    """||u_i - mu_k||^2, shape (B, K), from direct differences without a (B, K, d) array; differentiable."""
    return torch.cdist(u, centers, compute_mode="donot_use_mm_for_euclid_dist").square()


# --- DCSS, phase 1 -------------------------------------------------------------------------------------------------


def weighted_reconstruction(x: Tensor, x_hat: Tensor, weights: Tensor) -> Tensor:
    """DCSS Eq. (1b): sum_i p_ik^m ||x_i - x̂_i||^2, summed over the batch and not averaged.

    `weights` (B, k) holds p^m: one column for the loss of one cluster, all K columns for the sum of all (DCSS_agg).
    """
    return weights.sum(1) @ (x.flatten(1) - x_hat.flatten(1)).square().sum(1)


def weighted_centering(u: Tensor, centers: Tensor, weights: Tensor) -> Tensor:
    """DCSS Eq. (1c): sum_i p_ik^m ||u_i - mu_k||^2 for `centers` (k, d) and `weights` (B, k), as in Eq. (1b)."""
    return (weights * squared_distances(u, centers)).sum()


def cluster_loss(reconstruction: Tensor, centering: Tensor, alpha: float = 0.1) -> Tensor:
    """DCSS Eq. (1a): L_u^(k) = L_r^(k) + alpha L_c^(k), the loss of the k-th of the K successive updates."""
    return reconstruction + alpha * centering


def memberships(u: Tensor, centers: Tensor, m: float = 1.5, eps: float = 1e-12) -> Tensor:
    """DCSS Eq. (2): p_ik ∝ (||u_i - mu_k||^2)^(-1/(m-1)), shape (B, K), rows sum to 1.

    Taken in logarithms, with squared distances of at least `eps`: a sample on a center belongs to it, where the
    released code divides by zero. `m` > 1 is the fuzziness.
    """
    return torch.softmax(squared_distances(u, centers).clamp_min(eps).log() / (1 - m), dim=1)


def weighted_centers(u: Tensor, p: Tensor, m: float = 1.5) -> Tensor:
    """DCSS Eq. (3): mu_k = sum_i p_ik^m u_i / sum_i p_ik^m over the whole data set, shape (K, d)."""
    weights = p**m
    return (weights.T @ u) / weights.sum(0).unsqueeze(1)


# --- DCSS, phase 2 -------------------------------------------------------------------------------------------------


def pairwise_loss(
    q: Tensor, similarity: Tensor, zeta: float = 0.8, gamma: float = 0.2, *, released: bool = False
) -> Tensor:
    """DCSS Eqs. (4) and (5): sum_ij 1{s_ij >= zeta} (1 - q_i·q_j) + 1{s_ij <= gamma} q_i·q_j.

    Eq. (4) takes `similarity` = p pᵀ, Eq. (5) q qᵀ; it only selects pairs, so no gradient flows through it. The sum
    runs over ordered pairs of two samples. As `released`, a sample is paired with itself too, and the comparisons are
    strict (DCSS.py:244-247).
    """
    agreement = q @ q.T
    if released:
        similar, dissimilar = similarity > zeta, similarity < gamma
    else:
        others = ~torch.eye(len(q), dtype=torch.bool, device=q.device)
        similar, dissimilar = (similarity >= zeta) & others, (similarity <= gamma) & others
    return torch.where(similar, 1 - agreement, 0).sum() + torch.where(dissimilar, agreement, 0).sum()


def rounded(q: Tensor, low: float = 0.01, high: float = 0.99) -> Tensor:
    """The released DCSS code's rounding: entries above `high` become the constant 1, below `low` 0 (no gradient)."""
    return torch.where(q > high, 1.0, torch.where(q < low, 0.0, q))


# --- DEC and IDEC --------------------------------------------------------------------------------------------------


def student_t(u: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """DEC Eq. (1): q_ik ∝ (1 + ||z_i - mu_k||^2 / alpha)^(-(alpha+1)/2), shape (B, K), rows sum to 1."""
    return torch.softmax((squared_distances(u, centers) / alpha).log1p() * (-(alpha + 1) / 2), dim=1)


def target_distribution(q: Tensor) -> Tensor:
    """DEC Eq. (3): p_ik ∝ q_ik^2 / sum_i q_ik, shape (N, K), rows sum to 1. To be taken over the whole data set."""
    weight = q.square() / q.sum(0)
    return weight / weight.sum(1, keepdim=True)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """DEC Eq. (2): KL(P || Q), summed over clusters and averaged over the batch, as the released codes do."""
    return torch.nn.functional.kl_div(q.clamp_min(1e-12).log(), p, reduction="batchmean")


def mean_squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Reconstruction error averaged over batch and pixels: the pretraining loss, and IDEC's L_r."""
    return torch.nn.functional.mse_loss(x_hat.flatten(1), x.flatten(1))


def idec_loss(x: Tensor, x_hat: Tensor, p: Tensor, q: Tensor, gamma: float = 0.1) -> Tensor:
    """IDEC Eq. (1): L = L_r + gamma L_c with L_r the mean squared error and L_c = KL(P || Q)."""
    return mean_squared_error(x, x_hat) + gamma * kl_divergence(p, q)


# --- DCN and DKM ---------------------------------------------------------------------------------------------------


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """||a_i - b_i||^2, summed over pixels or dimensions and averaged over the batch."""
    return torch.nn.functional.mse_loss(a.flatten(1), b.flatten(1), reduction="sum") / len(a)


def dcn_loss(reconstruction: Tensor, clustering: Tensor, lam: float = 2.0) -> Tensor:
    """DCN: ||x_i - x̂_i||^2 + (lambda / 2) ||f(x_i) - M s_i||^2, of two `squared_error`s."""
    return reconstruction + lam / 2 * clustering


def running_means(centers: Tensor, counts: Tensor, u: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """DCN: m_k ← m_k + (z_i - m_k) / c_k for one sample i of cluster k after the other, c_k growing by 1 before each.

    A center is then the mean of c_k samples, whatever their order, so a batch is one step. Takes `centers` (K, d) and
    `counts` (K,) as before the batch, `u` (B, d) and `labels` (B,) int64; returns both as after it.
    """
    hot = torch.nn.functional.one_hot(labels, len(centers)).to(u.dtype)
    sizes = hot.sum(0)
    counts = counts + sizes
    shift = (hot.T @ u - sizes.unsqueeze(1) * centers) / counts.clamp_min(1).unsqueeze(1)
    return centers + shift, counts


def soft_kmeans(u: Tensor, centers: Tensor, alpha: float = 1000.0) -> Tensor:
    """DKM: sum_k softmax_k(-alpha d_ik) d_ik with d_ik = ||z_i - r_k||^2, averaged over the batch."""
    distances = squared_distances(u, centers)
    return (torch.softmax(-alpha * distances, 1) * distances).sum() / len(u)


# --- ACAI, DynAE and R-DC (reconstruction) -------------------------------------------------------------------------


def acai_loss(reconstruction: Tensor, realism: Tensor, lam: float = 0.5) -> Tensor:
    """ACAI, autoencoder: mean ||x - x̂||^2 + lambda mean critic(x_int)^2, of the error and the critic's scores (B,)."""
    return reconstruction + lam * realism.square().mean()


def critic_loss(realism: Tensor, a: Tensor, blended: Tensor) -> Tensor:
    """ACAI, critic: mean (critic(x_int) - a)^2 + mean critic(b x + (1 - b) x̂)^2, of scores and shares, all (B,)."""
    return (realism - a).square().mean() + blended.square().mean()


def unconflicted(q: Tensor, beta1: float, beta2: float) -> Tensor:
    """DynAE: whether q_i's largest entry exceeds beta1, and its second largest by more than beta2; (B, K) → (B,)."""
    first, second = torch.cat([q, torch.zeros_like(q[:, :1])], 1).topk(2, dim=1).values.unbind(1)
    return (first > beta1) & (first - second > beta2)


def neighbor_reconstruction(x: Tensor, x_hat: Tensor, weights: Tensor) -> Tensor:
    """FT-VGAE's idea for images: sum_il w_il ||g(z_l) - x_i||^2 / D over P pairs of a sample i and a neighbor l.

    `x`, `x_hat` (P, …): sample and reconstruction from the neighbor, of D pixels; `weights` (P,) sum to 1.
    """
    return weights @ (x_hat.flatten(1) - x.flatten(1)).square().mean(1)


# --- VaDE ----------------------------------------------------------------------------------------------------------


def bernoulli_error(x: Tensor, logits: Tensor) -> Tensor:
    """-log p(x | z) of pixels x in [0, 1], summed over pixels and averaged over the batch."""
    error = torch.nn.functional.binary_cross_entropy_with_logits
    return error(logits.flatten(1), x.flatten(1), reduction="sum") / len(x)


def log_mixture(z: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """VaDE: log pi_c + log N(z_i | m_c, s_c), shape (B, K), for weights (K,), means and diagonal variances (K, d).

    Without the constant -(d/2) log 2 pi. Its softmax over c is gamma_c = p(c | z).
    """
    squares = (z.unsqueeze(1) - means).square() / log_variances.exp()
    return log_weights - 0.5 * (log_variances.sum(1) + squares.sum(2))


def mixture_divergence(
    mean: Tensor,
    log_variance: Tensor,
    log_gamma: Tensor,
    log_weights: Tensor,
    means: Tensor,
    log_variances: Tensor,
) -> Tensor:
    """VaDE: KL(q(z, c | x) || p(z, c)) averaged over the batch, the part of -ELBO beside the reconstruction.

    q(z | x) = N(mean, exp(log_variance)), both (B, d); q(c | x) = gamma (B, K); p(z, c) as in `log_mixture`. Per sample
    1/2 sum_c gamma_c sum_j [log s_cj + exp(log_variance_j) / s_cj + (mean_j - m_cj)^2 / s_cj] - 1/2 sum_j (1 +
    log_variance_j) + sum_c gamma_c (log gamma_c - log pi_c).
    """
    spread = (log_variance.exp() @ (-log_variances).exp().T) / 2 - log_mixture(mean, log_weights, means, log_variances)
    divergence = (log_gamma.exp() * (spread + log_gamma)).sum(1) - (1 + log_variance).sum(1) / 2
    return divergence.mean()


# --- SimCLR, MoCo and SwAV -----------------------------------------------------------------------------------------


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.5) -> Tensor:
    """SimCLR Eq. (1), NT-Xent: the mean over 2B views of -log exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau).

    `a` and `b` (B, d) are two views of the same B samples, s_ij the cosine of two of the 2B views, and j the other
    view of i's sample. The other 2B - 2 views are the negatives.
    """
    z = torch.nn.functional.normalize(torch.cat([a, b]), dim=1)
    views = torch.arange(len(z), device=z.device)
    logits = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), -torch.inf)
    return torch.nn.functional.cross_entropy(logits, views.roll(len(a)))


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float = 0.07) -> Tensor:
    """MoCo Eq. (1), InfoNCE: the mean over the batch of -log exp(q_i·k_i / tau) / sum_j exp(q_i·k_j / tau).

    The sum runs over the query's own key, row i of `keys` (B, d), and the rows of `queue` (K, d), its negatives; other
    keys of the batch don't count. Inner products are cosines. No gradient flows into keys and queue.
    """
    q, k, negatives = (torch.nn.functional.normalize(t, dim=1) for t in (queries, keys.detach(), queue.detach()))
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ negatives.T], dim=1) / temperature
    return torch.nn.functional.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64, device=q.device))


def swapped_prediction(
    scores_a: Tensor, scores_b: Tensor, codes_a: Tensor, codes_b: Tensor, temperature: float = 0.1
) -> Tensor:
    """SwAV Eqs. (1) and (2): the cross-entropy of each view's prediction with the *other* view's code.

    `scores_a` and `scores_b` (B, K) are the cosines of two views of the same B samples with K prototypes; the softmax
    of scores / tau predicts a code. `codes_a` and `codes_b` (B, K), rows sum to 1, get no gradient. As released, it is
    the mean over the 2B views, half of Eq. (1): log K where nothing is known.
    """
    ahead = torch.nn.functional.cross_entropy(scores_a / temperature, codes_b.detach())
    back = torch.nn.functional.cross_entropy(scores_b / temperature, codes_a.detach())
    return (ahead + back) / 2
