"""Values that records of this chapter hold in addition to scores."""

from dcbook.chapters.ssl.watches.inside import TargetsAndProbes
from dcbook.chapters.ssl.watches.probed import Probed
from dcbook.chapters.ssl.watches.probes import CODES, TRUNK, FewLabels
from dcbook.chapters.ssl.watches.purity import Purity
from dcbook.chapters.ssl.watches.signal import CONTROL, FEW, SIGNAL, Signal
from dcbook.chapters.ssl.watches.targets import Targets, changes
from dcbook.chapters.ssl.watches.unlabeled import Unlabeled, agreement
from dcbook.chapters.ssl.watches.usage import Usage, UsageAndPurity, usage
