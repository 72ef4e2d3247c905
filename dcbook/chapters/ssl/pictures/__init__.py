"""Pictures of this chapter."""

from dcbook.chapters.ssl.pictures.collapse import shares
from dcbook.chapters.ssl.pictures.texts import rounds, tuning
