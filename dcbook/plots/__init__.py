"""One function per kind of picture that chapters share, in one style: data in, matplotlib figure out."""

from dcbook.plots.curves import histories, training
from dcbook.plots.images import filters, maps, samples, spaces
from dcbook.plots.names import called, named
from dcbook.plots.scores import comparison, contest, dots, layers, luck, sensitivity
from dcbook.plots.sheets import contact_sheet
from dcbook.plots.style import OURS, PALETTE, PAPER, STYLE, bands
