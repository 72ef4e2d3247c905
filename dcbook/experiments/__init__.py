"""The grid of runs, their records, the papers' reported numbers, and the comparison of the two."""

from dcbook.experiments.claims import Contrast, by_value, contrast, paired
from dcbook.experiments.compare import at_settings, compare, gaps, over, render, summarize, write_csv
from dcbook.experiments.features import make_features, make_missing, sweep_scale
from dcbook.experiments.papers import COUNTERPARTS, Counterpart, reported, stand_in
from dcbook.experiments.records import Record, RecordError, curves, read_all, to_frame
from dcbook.experiments.runs import Method, Run, Scale, runs, sampled, vary, with_clusters
from dcbook.experiments.sweep import Result, sweep

__all__ = [
    "COUNTERPARTS",
    "Contrast",
    "Counterpart",
    "Method",
    "Record",
    "RecordError",
    "Result",
    "Run",
    "Scale",
    "at_settings",
    "by_value",
    "compare",
    "contrast",
    "curves",
    "gaps",
    "make_features",
    "make_missing",
    "over",
    "paired",
    "read_all",
    "render",
    "reported",
    "runs",
    "sampled",
    "stand_in",
    "summarize",
    "sweep",
    "sweep_scale",
    "to_frame",
    "vary",
    "with_clusters",
    "write_csv",
]
