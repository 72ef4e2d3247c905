"""The state of the process: threads borrow it one at a time, and a fit gives it back as it was."""

import os
import platform
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch

from dcbook.clustering.points import full_precision
from dcbook.threads import BORROWED, ignored
from dcbook.training.inputs import seeded
from tests.test_methods import DEEP, METHODS, assert_same, brief

IMAGES = np.random.default_rng(0).random((66, 1, 4, 4), dtype=np.float32)


def fitted(name, seed, **changes):
    return brief(name, random_state=seed, **changes).fit(IMAGES)


@pytest.mark.parametrize(("name", "changes"), [*((name, {}) for name in DEEP), ("DeepCluster", {"dropout": 0.5})])
def test_two_fits_in_two_threads_give_what_each_gives_alone(name, changes):
    alone = [fitted(name, seed, **changes) for seed in (0, 1)]
    together = Barrier(2)

    def in_a_thread(seed):
        together.wait()
        return fitted(name, seed, **changes)

    with ThreadPoolExecutor(2) as threads:
        for model, expected in zip(threads.map(in_a_thread, (0, 1)), alone, strict=True):
            assert_same(model, expected)


@pytest.mark.parametrize("name", METHODS)
def test_a_fit_leaves_the_global_stream_and_the_filters_of_warnings_alone(name):
    state, filters = torch.random.get_rng_state(), list(warnings.filters)
    brief(name).fit(IMAGES)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert warnings.filters == filters


def test_another_default_precision_of_torch_is_refused_before_training():
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(ValueError, match=r"networks train in float32, but torch's default is torch\.float64: "):
            brief("DEC").fit(IMAGES)
        brief("k-means").fit(IMAGES)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_a_fit_without_gradients_is_refused_before_training(off):
    model = brief("DEC").fit(IMAGES)
    with off():
        with pytest.raises(ValueError, match=r"call it outside torch\.no_grad\(\) and torch\.inference_mode\(\)"):
            brief("DEC").fit(IMAGES)
        np.testing.assert_array_equal(model.predict(IMAGES), model.labels_)
        brief("k-means").fit(IMAGES)


def test_a_thread_waits_until_the_stream_is_given_back():
    begun = Barrier(2)

    def draw(seed):
        begun.wait()
        with seeded(seed):
            return [torch.rand(1).item() for _ in range(200) if not time.sleep(1e-5)]

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(draw, (0, 1)))
    assert found == [torch.rand(200, generator=torch.Generator().manual_seed(seed)).tolist() for seed in (0, 1)]


def test_filters_of_warnings_are_as_before_after_two_threads_changed_them():
    begun, filters = Barrier(2), list(warnings.filters)

    def work(_):
        begun.wait()
        for _ in range(50):
            with ignored(UserWarning):
                time.sleep(1e-5)
                warnings.warn("never seen", stacklevel=1)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert warnings.filters == filters


def test_the_precision_of_products_stays_until_the_last_thread_is_done_and_is_then_as_before():
    backends = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    before, entered, left = [backend.fp32_precision for backend in backends], Barrier(2), Barrier(2)

    def first():
        with full_precision():
            entered.wait()
        left.wait()

    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        with ThreadPoolExecutor(1) as threads:
            ended = threads.submit(first)
            with full_precision():
                entered.wait()
                left.wait()
                assert [backend.fp32_precision for backend in backends] == ["ieee", "ieee"]
            ended.result()
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before[1]
    assert [backend.fp32_precision for backend in backends] == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_process_forked_beside_a_borrowing_thread_can_borrow():
    borrowed = Barrier(2)

    def borrow():
        with BORROWED:
            borrowed.wait()
            time.sleep(0.05)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(borrow)
        borrowed.wait()
        child = os.fork()
        if child == 0:
            os._exit(0 if BORROWED.acquire(timeout=1) else 1)
    assert os.waitpid(child, 0)[1] == 0


FAULTS = """
import resource
import torch
from dcbook.experiments.processes import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**21).add_(1)  # 8 MiB, 2,048 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

returned = faults()
keep_freed_memory()
faults()
print(returned, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_a_worker_uses_freed_memory_again_without_asking_the_system_for_its_pages():
    environment = {name: value for name, value in os.environ.items() if "MALLOC" not in name} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    returned, kept = map(int, done.stdout.split())
    assert 5 * kept < returned, f"{returned} page faults before, {kept} after"
