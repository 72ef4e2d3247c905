"""The methods: scikit-learn estimators whose `fit` reads like the algorithm box of the paper. No label gets in."""

from pathlib import Path

from sklearn.base import BaseEstimator

from dcbook.methods.adec import ADECReconstruction
from dcbook.methods.autoencoder_kmeans import AEKMeans
from dcbook.methods.brb import BRB_DCN, BRB_DEC, BRB_IDEC
from dcbook.methods.cc import CC
from dcbook.methods.dac import DAC, DAC_star
from dcbook.methods.dccm import DCCM
from dcbook.methods.dcn import DCN
from dcbook.methods.dcss import DCSS, DCSS_agg, DCSS_u
from dcbook.methods.dec import DEC
from dcbook.methods.deepcluster import DeepCluster
from dcbook.methods.deepcluster_v2 import DeepClusterV2
from dcbook.methods.dkm import DKM, DKM_a
from dcbook.methods.dynae import DynAE
from dcbook.methods.edesc import EDESC
from dcbook.methods.ganmm import GANMM
from dcbook.methods.idec import IDEC
from dcbook.methods.idecf import IDECF
from dcbook.methods.idfd import IDFD
from dcbook.methods.imsat import IMSAT
from dcbook.methods.iterative_classification import IterativeClassification
from dcbook.methods.kmeans import KMeans
from dcbook.methods.lpmf import LPMF
from dcbook.methods.lssc import LSSC
from dcbook.methods.mice import MiCE
from dcbook.methods.mini_batch_kmeans import MiniBatchKMeans
from dcbook.methods.moco import MoCo
from dcbook.methods.n2d import N2D
from dcbook.methods.neighbor_consistency import NeighborConsistency
from dcbook.methods.pac import PAC
from dcbook.methods.pica import PICA
from dcbook.methods.pixel_neighbors import PixelNeighbors
from dcbook.methods.rdc import RDCReconstruction
from dcbook.methods.scan import SCAN
from dcbook.methods.simclr import SimCLR
from dcbook.methods.simclr_pretext import SimCLRPretext
from dcbook.methods.spectralnet import SpectralNet
from dcbook.methods.spice import SPICE
from dcbook.methods.swav import SwAV
from dcbook.methods.temi import TEMI
from dcbook.methods.vade import VaDE
from dcbook.training import saving
from dcbook.training.acai import ACAIPretraining
from dcbook.training.contrastive_pretraining import ContrastivePretraining
from dcbook.training.inputs import device_or_cpu
from dcbook.training.pretraining import Pretraining
from dcbook.training.start import Start
from dcbook.training.trunk_pretraining import TrunkPretraining

__all__ = [
    "BRB_DCN",
    "BRB_DEC",
    "BRB_IDEC",
    "CC",
    "DAC",
    "DCCM",
    "DCN",
    "DCSS",
    "DEC",
    "DKM",
    "EDESC",
    "GANMM",
    "IDEC",
    "IDECF",
    "IDFD",
    "IMSAT",
    "LPMF",
    "LSSC",
    "N2D",
    "PAC",
    "PICA",
    "SCAN",
    "SPICE",
    "TEMI",
    "ACAIPretraining",
    "ADECReconstruction",
    "AEKMeans",
    "ContrastivePretraining",
    "DAC_star",
    "DCSS_agg",
    "DCSS_u",
    "DKM_a",
    "DeepCluster",
    "DeepClusterV2",
    "DynAE",
    "IterativeClassification",
    "KMeans",
    "MiCE",
    "MiniBatchKMeans",
    "MoCo",
    "NeighborConsistency",
    "PixelNeighbors",
    "Pretraining",
    "RDCReconstruction",
    "SimCLR",
    "SimCLRPretext",
    "SpectralNet",
    "Start",
    "SwAV",
    "TrunkPretraining",
    "VaDE",
    "load_model",
]


def load_model(folder: str | Path) -> BaseEstimator:
    """The fitted method that its `save` wrote to `folder`; where its device is missing, on the CPU, with a warning.

    The file model.safetensors in it may be given as well. Raises ValueError naming it if it is missing, incomplete or
    foreign.
    """
    model = saving.load(folder, {name: value for name, value in globals().items() if name in __all__})
    return model.set_params(device=device_or_cpu(model.device))
