"""Watches: what the records of this chapter hold in addition to scores."""

from dcbook.chapters.deepcluster.watches.filters import Filters, picture
from dcbook.chapters.deepcluster.watches.layer_probes import LayerProbes
from dcbook.chapters.deepcluster.watches.representation import Representation
from dcbook.chapters.deepcluster.watches.transfer import PROTOCOLS, Transfer
