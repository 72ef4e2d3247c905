"""What tables have in common whose runs may be on one data set or on several."""

from collections.abc import Iterable, Mapping

import pandas as pd

from dcbook.plots.names import called


def sets_apart(rows: Iterable[Mapping]) -> pd.DataFrame:
    """A table of rows with a "dataset", which is its first column, "data set"; left out where it is one for all."""
    frame = pd.DataFrame(rows)
    names = frame.pop("dataset")
    if names.nunique() > 1:
        frame.insert(0, "data set", names.map(called))
    return frame
