"""Losses that tell samples apart by a memory of all of them: IDFD (ICLR 2021); MiCE's experts (ICLR 2021).

After the released code, from descriptions and checked against it; values by hand in the tests. The papers' texts were
not at hand.
"""

import torch
from torch import Tensor
from torch.nn import functional


def instance_discrimination(v: Tensor, memory: Tensor, rows: Tensor, temperature: float = 1.0) -> Tensor:
    """IDFD's L_id: the mean of -v_i·m_i / tau + ln sum_j exp(v_i·m_j / tau) over the samples `rows` (B,) of all N.

    `v` (B, d) are their features, `memory` (N, d) the remembered ones of all, without gradient; both of length 1.
    """
    return functional.cross_entropy(v @ memory.T / temperature, rows)


def decorrelation(v: Tensor, temperature: float = 2.0) -> Tensor:
    """IDFD's L_fd: the mean over dimensions k of -C_kk + ln sum_l exp C_kl, C the cosines of columns of v (B, d) / tau.

    Its least value is not 0: for tau = 2 it is ln(1 + (d - 1) / sqrt(e)), which takes at least d samples to reach.
    """
    columns = functional.normalize(v, dim=0)
    return functional.cross_entropy(columns.T @ columns / temperature, torch.arange(v.shape[1], device=v.device))


def remembered(memory: Tensor, v: Tensor, kept: float = 0.5) -> Tensor:
    """IDFD's memory of the same samples after another look at them: kept m + (1 - kept) v, scaled to length 1."""
    return functional.normalize(kept * memory + (1 - kept) * v, dim=1)


def expert_log_likelihoods(f: Tensor, v: Tensor, prototypes: Tensor, queue: Tensor, temperature: float = 1.0) -> Tensor:
    """MiCE: ln phi_k of each sample, the log-softmax of the right key among those of the queue, by expert k; (B, K).

    f, v (B, K, d) : embeddings of a view by the K experts, and of another view by their teachers, the right keys.
    prototypes (K, d), queue (L, K, d) : directions of the experts; earlier keys.

    The logit of a key u is (f_k + mu_k)·u_k / tau. All vectors have length 1.
    """
    queries = f + prototypes
    right = (queries * v).sum(2)
    others = torch.einsum("bkd,ukd->bku", queries, queue)
    logits = torch.cat([right.unsqueeze(2), others], 2) / temperature
    return right / temperature - logits.logsumexp(2)


def mixture_loss(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    """MiCE: the mean of -ln sum_k pi_k phi_k, of ln pi and ln phi (B, K).

    The released loss is the bound -sum_k r_k (ln pi_k + ln phi_k - ln r_k) with r the exact posterior, where both are
    equal, values and gradients.
    """
    return -(log_prior + log_likelihood).logsumexp(1).mean()
