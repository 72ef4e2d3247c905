"""The methods: scikit-learn estimators whose `fit` reads like the algorithm box of the paper. No label gets in."""

from dcbook.methods.acai import ACAIPretraining
from dcbook.methods.autoencoder_kmeans import AEKMeans
from dcbook.methods.contrastive_pretraining import ContrastivePretraining
from dcbook.methods.dcn import DCN
from dcbook.methods.dcss import DCSS, DCSS_agg, DCSS_u
from dcbook.methods.dec import DEC
from dcbook.methods.deepcluster import DeepCluster
from dcbook.methods.deepcluster_v2 import DeepClusterV2
from dcbook.methods.dkm import DKM, DKM_a
from dcbook.methods.dynae import DynAE
from dcbook.methods.idec import IDEC
from dcbook.methods.kmeans import KMeans
from dcbook.methods.lpmf import LPMF
from dcbook.methods.lssc import LSSC
from dcbook.methods.moco import MoCo
from dcbook.methods.rdc import RDCReconstruction
from dcbook.methods.saving import load_model
from dcbook.methods.simclr import SimCLR
from dcbook.methods.start import Pretraining, Start
from dcbook.methods.swav import SwAV
from dcbook.methods.vade import VaDE

__all__ = [
    "DCN",
    "DCSS",
    "DEC",
    "DKM",
    "IDEC",
    "LPMF",
    "LSSC",
    "ACAIPretraining",
    "AEKMeans",
    "ContrastivePretraining",
    "DCSS_agg",
    "DCSS_u",
    "DKM_a",
    "DeepCluster",
    "DeepClusterV2",
    "DynAE",
    "KMeans",
    "MoCo",
    "Pretraining",
    "RDCReconstruction",
    "SimCLR",
    "Start",
    "SwAV",
    "VaDE",
    "load_model",
]
