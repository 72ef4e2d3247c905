"""scikit-learn's own checks of an estimator, for every class of method: all but one of them, see `NOT_FOR`."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from dcbook.methods import (
    DCN,
    DCSS,
    DEC,
    DKM,
    IDEC,
    LPMF,
    LSSC,
    AEKMeans,
    DynAE,
    KMeans,
    Pretraining,
    RDCReconstruction,
    VaDE,
)

RECIPE = Pretraining(widths=(8,), latent_dim=2, epochs=1, batch_size=10, restarts=1)
SHORT = {"start": RECIPE, "batch_size": 10, "random_state": 0}
ESTIMATORS = [
    KMeans(3, n_init=1),
    LSSC(3, n_init=1),
    LPMF(3, n_init=1, max_iter=10),
    AEKMeans(3, start=RECIPE, random_state=0),
    DEC(3, max_updates=2, **SHORT),
    IDEC(3, max_updates=2, **SHORT),
    DCN(3, epochs=1, **SHORT),
    DKM(3, epochs=1, **SHORT),
    VaDE(3, epochs=1, likelihood="gaussian", **SHORT),
    DynAE(3, max_updates=2, **SHORT),
    RDCReconstruction(3, epochs=1, **SHORT),
    DCSS(3, phase1_epochs=1, phase2_epochs=1, schedule_size=None, **SHORT | {"batch_size": 5}),
]
NOT_FOR = {LPMF: {"check_clustering": "its data are standardized, and LPMF refuses negative numbers"}}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: NOT_FOR.get(type(estimator), {}))
def test_estimator(estimator, check):
    check(estimator)
