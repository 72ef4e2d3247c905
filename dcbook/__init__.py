"""dcbook: deep clustering, reproduced."""

from dcbook._torchvision import declare_missing_operators

__version__ = "0.1.0"

declare_missing_operators()
