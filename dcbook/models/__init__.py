"""Networks: modules with `encoder` and `decoder`, and heads on a latent space. No clustering algorithm is used here."""

from dcbook.models.aggregation import Aggregation
from dcbook.models.bottleneck import BottleneckConvNet
from dcbook.models.classifier import Classifier, NormalizedClassifier
from dcbook.models.convnet import ConvNet
from dcbook.models.convolutional import ConvolutionalAutoencoder
from dcbook.models.encoder import Encoder
from dcbook.models.experts import Experts
from dcbook.models.fully_connected import FullyConnectedAutoencoder
from dcbook.models.identity import IdentityEncoder
from dcbook.models.image_gan import ImageClassifier
from dcbook.models.mapped_mixture import MappedMixture
from dcbook.models.mixture import GaussianMixturePrior
from dcbook.models.mnet import MNet
from dcbook.models.perceptron import NormalizedPerceptron
from dcbook.models.plain import PlainConvNet
from dcbook.models.projected import ProjectedConvNet
from dcbook.models.resnet import ResNet
from dcbook.models.spectral import SpectralMap
from dcbook.models.stacked import StackedPerceptrons
from dcbook.models.subspaces import Subspaces
from dcbook.models.unit import UnitClassifier, UnitMap
from dcbook.models.variational import VariationalAutoencoder

__all__ = [
    "Aggregation",
    "BottleneckConvNet",
    "Classifier",
    "ConvNet",
    "ConvolutionalAutoencoder",
    "Encoder",
    "Experts",
    "FullyConnectedAutoencoder",
    "GaussianMixturePrior",
    "IdentityEncoder",
    "ImageClassifier",
    "MNet",
    "MappedMixture",
    "NormalizedClassifier",
    "NormalizedPerceptron",
    "PlainConvNet",
    "ProjectedConvNet",
    "ResNet",
    "SpectralMap",
    "StackedPerceptrons",
    "Subspaces",
    "UnitClassifier",
    "UnitMap",
    "VariationalAutoencoder",
]
