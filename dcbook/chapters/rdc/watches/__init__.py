"""Watches: what the records of this chapter hold in addition to scores."""

from dcbook.chapters.rdc.watches.diagnostics import Diagnostics
from dcbook.chapters.rdc.watches.phases import BothPhases, ClusterDimensions, Filtered, Snapshots
