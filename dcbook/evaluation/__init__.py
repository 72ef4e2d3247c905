"""Evaluation: scores, probes, diagnostics and retrieval. Only this package uses true labels."""

from dcbook.evaluation.copies import describe_by, distorted, finding_copies
from dcbook.evaluation.diagnose import Diagnose, shape
from dcbook.evaluation.few_labels import few_label_probe, split
from dcbook.evaluation.filters import flatness, learned_alike, matching, resemblance
from dcbook.evaluation.geometry import (
    Dimensions,
    cluster_dimensions,
    effective_rank,
    latent_variance,
    linear_dimension,
    spectral_gap,
    two_nn,
)
from dcbook.evaluation.gradients import cosine, cosines, encoder_gradients, gradient
from dcbook.evaluation.label_picked import LabelPicked, label_picked
from dcbook.evaluation.maps import purity, tsne
from dcbook.evaluation.pairs import Pairs, loss_of_pairs, pairs, residuals
from dcbook.evaluation.preferred import class_share, gradient_ascent, most_activating, responses
from dcbook.evaluation.probes import Probe, activations, linear_probe, mlp_probe, pool_to
from dcbook.evaluation.retrieval import (
    Query,
    average_precision,
    evaluate_retrieval,
    mean_average_precision,
    read_ground_truth,
    region_vectors,
)
from dcbook.evaluation.rmac import rmac, rmac_descriptor, rmac_regions
from dcbook.evaluation.scores import (
    UNMATCHED,
    accuracy,
    ari,
    balanced_accuracy,
    macro_f1,
    majority_vote,
    match,
    micro_f1,
    nmi,
    scores,
)
from dcbook.evaluation.supervised import train_with_labels, transferred
from dcbook.evaluation.voc import VOC_CLASSES, evaluate_voc, fit_voc, masked_bce, voc2007, voc_labels
from dcbook.evaluation.words import describe_clusters, top_words

__all__ = [
    "UNMATCHED",
    "VOC_CLASSES",
    "Diagnose",
    "Dimensions",
    "LabelPicked",
    "Pairs",
    "Probe",
    "Query",
    "accuracy",
    "activations",
    "ari",
    "average_precision",
    "balanced_accuracy",
    "class_share",
    "cluster_dimensions",
    "cosine",
    "cosines",
    "describe_by",
    "describe_clusters",
    "distorted",
    "effective_rank",
    "encoder_gradients",
    "evaluate_retrieval",
    "evaluate_voc",
    "few_label_probe",
    "finding_copies",
    "fit_voc",
    "flatness",
    "gradient",
    "gradient_ascent",
    "label_picked",
    "latent_variance",
    "learned_alike",
    "linear_dimension",
    "linear_probe",
    "loss_of_pairs",
    "macro_f1",
    "majority_vote",
    "masked_bce",
    "match",
    "matching",
    "mean_average_precision",
    "micro_f1",
    "mlp_probe",
    "most_activating",
    "nmi",
    "pairs",
    "pool_to",
    "purity",
    "read_ground_truth",
    "region_vectors",
    "resemblance",
    "residuals",
    "responses",
    "rmac",
    "rmac_descriptor",
    "rmac_regions",
    "scores",
    "shape",
    "spectral_gap",
    "split",
    "top_words",
    "train_with_labels",
    "transferred",
    "tsne",
    "two_nn",
    "voc2007",
    "voc_labels",
]
