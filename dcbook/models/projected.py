"""DeepCluster's networks with a projection head, for the methods that learn from pairs of views."""

from torch import Tensor, nn

from dcbook.models.convnet import ConvNet


class ProjectedConvNet(ConvNet):
    """`encoder`, images → H space (fc7 before its ReLU), and `head`, H space → Z space.

    With the same seed, the encoder starts from the same weights as that of a `ConvNet` without dropout and Sobel
    filter. So DeepCluster and the methods that came after it can be compared on one network.

    Parameters
    ----------
    input_shape : (C, H, W), any number of channels.
    architecture : of the `ConvNet`.
    width : factor on its channels, above 0.
    projection_dim : dimension of Z space.
    head_batch_norm : whether the head normalizes W1 ReLU(h) by batch, as released with SwAV.

    Raises ValueError where `ConvNet` does. The head is W2 ReLU(W1 ReLU(h)) with W1 square, as in `ResNet`.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        architecture: str = "alexnet-small",
        width: float = 1.0,
        projection_dim: int = 128,
        head_batch_norm: bool = False,
    ):
        super().__init__(input_shape, architecture, sobel=False, width=width, dropout=0.0)
        norm = [nn.BatchNorm1d(self.hidden)] if head_batch_norm else []
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Linear(self.hidden, self.hidden),
            *norm,
            nn.ReLU(inplace=True),
            nn.Linear(self.hidden, projection_dim),
        )
        self.config = {
            "input_shape": list(input_shape),
            "architecture": architecture,
            "width": width,
            "projection_dim": projection_dim,
            "head_batch_norm": head_batch_norm,
        }

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) → h (B, hidden) and z (B, projection_dim), which is not normalized yet."""
        return super().forward(x)
