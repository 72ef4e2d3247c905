"""Reconstruction from neighbors, used by R-DC (reconstruction): FT-VGAE, Mrabah et al. 2022, supplement, App. C."""

from torch import Tensor


def neighbor_reconstruction(x: Tensor, x_hat: Tensor, weights: Tensor) -> Tensor:
    """FT-VGAE's idea for images: sum_il w_il ||g(z_l) - x_i||^2 / D over P pairs of a sample i and a neighbor l.

    `x` (P, …) holds the samples of D pixels, `x_hat` (P, …) the neighbors' reconstructions; `weights` (P,) sum to 1.
    """
    return weights @ (x_hat.flatten(1) - x.flatten(1)).square().mean(1)
