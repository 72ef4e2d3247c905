"""The only room that sees labels."""

from dcbook.evaluation.label_picked import LabelPicked
from dcbook.evaluation.maps import purity, tsne
from dcbook.evaluation.pairs import Pairs, pairs, residuals
from dcbook.evaluation.scores import UNMATCHED, accuracy, ari, macro_f1, match, micro_f1, nmi, scores

__all__ = [
    "UNMATCHED",
    "LabelPicked",
    "Pairs",
    "accuracy",
    "ari",
    "macro_f1",
    "match",
    "micro_f1",
    "nmi",
    "pairs",
    "purity",
    "residuals",
    "scores",
    "tsne",
]
