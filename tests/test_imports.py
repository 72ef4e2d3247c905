"""What can be imported, and what is left alone: one fresh interpreter, with a fork for each question."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FORKS = """
import json, os, sys, traceback

def told_by_a_fork(code):
    "The error that the code ends with, or nothing."
    read, write = os.pipe()
    if os.fork() == 0:
        told, status = "", 0
        try:
            exec(code, {})
        except BaseException:
            told, status = traceback.format_exc(), 1
        os.write(write, told.encode())
        os._exit(status)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    status = os.wait()[1]
    return told or (f"ended with status {status}" if status else "")

told = {}
for imports, questions in json.loads(sys.argv[1]):
    exec(imports)
    told |= {name: told_by_a_fork(code) for name, code in questions.items()}
print(json.dumps(told))
"""
USES_TORCHVISION = """
import importlib, sys, dcbook
assert "torchvision" not in sys.modules
importlib.reload(dcbook)
assert "torchvision" not in sys.modules
import torchvision, torchvision.datasets, torch
from torchvision.transforms import v2
model = torchvision.models.resnet18().eval()
image = v2.Resize(32)(torch.rand(1, 3, 28, 28))
assert model(image).shape == (1, 1000)
assert torchvision.datasets.MNIST and torchvision.datasets.USPS
try:
    found = str(torchvision.ops.nms(torch.rand(2, 4), torch.rand(2), 0.5).shape)
except RuntimeError as error:
    found = str(error)
assert "torch.Size" in found or "custom C++ ops" in found, found
"""
FITS = """
import sys, numpy as np
from dcbook.methods import DEC, Pretraining
recipe = Pretraining(widths=(4,), latent_dim=2, epochs=1, batch_size=8, restarts=1)
DEC(2, start=recipe, max_updates=2, batch_size=8, device="cpu").fit(np.random.rand(20, 6))
assert not {"torch._dynamo", "IPython", "ipykernel", "ipywidgets", "tqdm.notebook"} & set(sys.modules)
"""
NO_TORCHVISION = "import sys\nassert not {'torchvision', 'medmnist'} & set(sys.modules)"
META = """
import sys, torch
with torch.device("meta"):
    dcbook.models.ResNet((3, 8, 8), width=2)
    dcbook.models.ConvNet((1, 8, 8))
assert "torch._dynamo" not in sys.modules
"""
QUESTIONS = [  # what the interpreter does before the forks, and what each fork does
    ("import torch", {"torchvision alone": "import torchvision"}),
    ("import dcbook", {"torchvision": USES_TORCHVISION}),
    ("import dcbook.data\ndcbook.data.load('digits')", {"digits": NO_TORCHVISION}),
    ("import dcbook.models\ndcbook.models.ResNet((3, 8, 8), width=2)", {"models": NO_TORCHVISION}),
    ("", {"fit": FITS, "networks without weights": "import dcbook.models" + META}),
]


@pytest.fixture(scope="module")
def told():
    """Question → the error that its fork ended with; nothing if it went well."""
    command = [sys.executable, "-c", FORKS, json.dumps(QUESTIONS)]
    run = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_dcbook_makes_torchvision_importable_but_not_its_operators_usable_and_survives_a_reload(told):
    assert told["torchvision"] == ""


def test_torchvision_alone_is_not_importable(told):
    if not told["torchvision alone"]:
        pytest.skip("this torchvision needs no cure; it works with dcbook just as well")
    assert "operator torchvision::nms does not exist" in told["torchvision alone"]


def test_digits_need_neither_torchvision_nor_medmnist(told):
    assert told["digits"] == ""


def test_the_models_do_not_import_torchvision(told):
    assert told["models"] == ""


def test_neither_a_fit_nor_a_network_without_weights_imports_the_compiler_or_jupyter(told):
    assert told["fit"] == ""
    assert told["networks without weights"] == ""
