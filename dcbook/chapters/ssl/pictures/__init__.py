"""Pictures of this chapter."""

from dcbook.chapters.ssl.pictures.collapse import shares
from dcbook.chapters.ssl.pictures.contrastive_first import steadiness
from dcbook.chapters.ssl.pictures.inside import inside
from dcbook.chapters.ssl.pictures.probes import gains
from dcbook.chapters.ssl.pictures.scale import speed
from dcbook.chapters.ssl.pictures.targets import passing
from dcbook.chapters.ssl.pictures.texts import rounds, tuning
