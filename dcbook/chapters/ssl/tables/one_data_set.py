"""What tables whose rows have no name of a data set need."""

import pandas as pd


def of_one_data_set(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame; ValueError if it is of several data sets, whose rows a table of methods could not tell apart."""
    if frame["dataset"].nunique() > 1:
        found = ", ".join(frame["dataset"].unique())
        raise ValueError(f"this table is of one data set, not of {found}: give it the rows of one of them")
    return frame
