"""Experiments: runs, sweeps, records, contrasts between methods, and comparison with reported numbers."""

from dcbook.experiments.compare import at_settings, compare, gaps, over, render, summarize, with_spread, write_csv
from dcbook.experiments.contrast import Contrast, Rate
from dcbook.experiments.features import make_features, make_missing, sweep_scale
from dcbook.experiments.frames import curves, to_frame
from dcbook.experiments.pairs import by_value, contrast, counted, grouped, over_settings, paired
from dcbook.experiments.power import power, seeds_needed
from dcbook.experiments.records import Record, RecordError, read_all
from dcbook.experiments.reported import COUNTERPARTS, Counterpart, read_reported, stand_in
from dcbook.experiments.runs import Method, Run, Scale, grid, runs, sampled, vary, with_clusters
from dcbook.experiments.sweep import Result, sweep
from dcbook.experiments.verdict import Question
