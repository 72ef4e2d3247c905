"""The order of an image's axes."""


def check_channels_first(name: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError for images or volumes of `shape` (N, …) whose channels are certainly the last axis.

    That is so where the last axis has 1, 3 or 4 entries and each other axis of a sample has more than 4.
    """
    if len(shape) in (4, 5) and shape[-1] in (1, 3, 4) and min(shape[1:-1]) > 4:
        first = (shape[0], shape[-1], *shape[1:-1])
        raise ValueError(
            f"{name} of shape {tuple(shape)} has its channels last, and they come first here, as {first}: "
            f"numpy.moveaxis(x, -1, 1) brings them there"
        )
