"""The only room that sees labels."""

from dcbook.evaluation.scores import UNMATCHED, accuracy, ari, macro_f1, match, micro_f1, nmi, scores

__all__ = ["UNMATCHED", "accuracy", "ari", "macro_f1", "match", "micro_f1", "nmi", "scores"]
