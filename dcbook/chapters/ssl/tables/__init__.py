"""Records of this chapter as rows: what its tables print and its pictures draw."""

from dcbook.chapters.ssl.tables.texts import (
    before_and_after,
    beside_reported,
    few_labels,
    named_vectors,
    rounds,
    spaces,
)
from dcbook.chapters.ssl.tables.tuning import CRITERIA, chosen, correlations, criteria
