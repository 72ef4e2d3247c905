"""What the records of this chapter keep beside scores."""

from dcbook.chapters.rdc.watches.diagnostics import Diagnostics
from dcbook.chapters.rdc.watches.phases import BothPhases, ClusterDimensions, Filtered, Snapshots
