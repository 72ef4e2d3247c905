"""Records of this chapter as rows for tables and pictures."""

from dcbook.chapters.ssl.tables.collapse import shares, two_minima, usage_numbers, usage_table
from dcbook.chapters.ssl.tables.contrastive_first import first_numbers, first_table, steadiness
from dcbook.chapters.ssl.tables.inside import inside_numbers, inside_table, multiply_adds, probed_trunks, times
from dcbook.chapters.ssl.tables.probes import gains, probe_numbers, probe_table, probed
from dcbook.chapters.ssl.tables.scale import speed_numbers, speed_table, speeds
from dcbook.chapters.ssl.tables.targets import passing, passing_numbers, passing_table
from dcbook.chapters.ssl.tables.texts import (
    few_table,
    named_vectors,
    numbers,
    rounds,
    signal_table,
    spaces_table,
    within_table,
)
from dcbook.chapters.ssl.tables.tuning import (
    CRITERIA,
    by_setting,
    chosen,
    correlations,
    criteria,
    stored_sweeps,
    tuning_numbers,
)
from dcbook.chapters.ssl.tables.without_labels import beside_probes, brightness_table, probed_numbers, probed_table
