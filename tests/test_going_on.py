"""A fit that was stopped goes on with the seed of its checkpoint, where the caller gives none."""

import numpy as np
import pytest

from dcbook.methods import DeepCluster, SimCLR

IMAGES = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
PLAIN = {"epochs": 3, "flip": False, "batch_size": 20, "device": "cpu", "progress": False}
LEARNERS = {
    "SimCLR": lambda **more: SimCLR(3, width=8, projection_dim=4, lr=0.1, **PLAIN | more),
    "DeepCluster": lambda **more: DeepCluster(3, width=0.1, hidden=8, pca_dim=4, dropout=0.0, **PLAIN | more),
}


class Stop(Exception):
    pass


def stop_after_the_first(model):
    if len(model.history_) == 1:
        raise Stop


@pytest.mark.parametrize("name", LEARNERS)
def test_the_same_call_goes_on_where_no_seed_is_given(name, tmp_path):
    with pytest.raises(Stop):
        LEARNERS[name]().fit(IMAGES, monitor=stop_after_the_first, checkpoint=tmp_path / "state")
    parts = LEARNERS[name]().fit(IMAGES, checkpoint=tmp_path / "state")
    assert parts.random_state is None and [entry["epoch"] for entry in parts.history_] == [1, 2, 3]
    whole = LEARNERS[name](random_state=parts.seed_).fit(IMAGES)
    np.testing.assert_array_equal(parts.labels_, whole.labels_)
    np.testing.assert_array_equal(parts.transform(IMAGES), whole.transform(IMAGES))
    finished = LEARNERS[name]().fit(IMAGES, checkpoint=tmp_path / "state")
    np.testing.assert_array_equal(finished.labels_, whole.labels_)
    with pytest.raises(ValueError, match=f"another fit \\(seed was {parts.seed_}, is {parts.seed_ + 1}"):
        LEARNERS[name](random_state=parts.seed_ + 1).fit(IMAGES, checkpoint=tmp_path / "state")
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:100])
    with pytest.raises(ValueError, match="state is no complete checkpoint"):
        LEARNERS[name]().fit(IMAGES, checkpoint=tmp_path / "state")


@pytest.mark.parametrize("name", LEARNERS)
def test_two_fits_without_a_seed_are_two_fits(name, tmp_path):
    seeds = {LEARNERS[name](epochs=0).fit(IMAGES, checkpoint=tmp_path / f"state {n}").seed_ for n in range(3)}
    assert len(seeds) == 3
