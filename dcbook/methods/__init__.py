"""The methods: scikit-learn estimators whose `fit` reads like the algorithm box of the paper. No label gets in."""

from dcbook.methods.autoencoder_kmeans import AEKMeans
from dcbook.methods.dcss import DCSS, DCSS_agg, DCSS_u
from dcbook.methods.dec import DEC
from dcbook.methods.idec import IDEC
from dcbook.methods.kmeans import KMeans
from dcbook.methods.lpmf import LPMF
from dcbook.methods.lssc import LSSC
from dcbook.methods.saving import load_model
from dcbook.methods.start import Pretraining, Start

__all__ = [
    "DCSS",
    "DEC",
    "IDEC",
    "LPMF",
    "LSSC",
    "AEKMeans",
    "DCSS_agg",
    "DCSS_u",
    "KMeans",
    "Pretraining",
    "Start",
    "load_model",
]
