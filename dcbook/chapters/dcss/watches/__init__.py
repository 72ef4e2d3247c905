"""What the records of this chapter keep beside scores."""

from dcbook.chapters.dcss.watches.core_seconds import CoreSeconds
from dcbook.chapters.dcss.watches.first_layer import FirstLayer
from dcbook.chapters.dcss.watches.k_updates import KUpdates
from dcbook.chapters.dcss.watches.outputs import Outputs
from dcbook.chapters.dcss.watches.purity import Purity
from dcbook.chapters.dcss.watches.released_protocol import LabelPickedProtocol
from dcbook.chapters.dcss.watches.self_supervision import SelfSupervision
