"""A storm of two minutes: sweeps killed at any moment, two at once, a full disk, and damaged files of every kind.

``python -m tests.storm`` (or ``make storm``) ends with the table of ``notebooks/SPEED.md``, and with status 1 if
anything was lost, doubled, left half-written, or damaged without a word.
"""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from dcbook.data import load
from dcbook.experiments import Method, Scale, records, run_checkpoint, runs, sweep
from dcbook.methods import DCSS, DEC, DKM, IDEC, AEKMeans, DCSS_u, DynAE, Pretraining, SimCLR, Start, load_model

KILLS, DAMAGES, SEEDS = 30, 60, (0, 1, 2)
PHASES = {"schedule_size": None, "batch_size": 100}
RUNS = runs(
    Scale(
        name="storm",
        datasets={"digits": {"subset": 500}},
        seeds=SEEDS,
        starts={"autoencoder": Method(AEKMeans, {"start": Pretraining(widths=(64, 128), epochs=8, batch_size=64)})},
        methods={
            "AE+k-means": Method(AEKMeans, start="autoencoder"),
            "DEC": Method(DEC, {"max_updates": 40, "update_interval": 8}, start="autoencoder"),
            "IDEC": Method(IDEC, {"max_updates": 40, "update_interval": 8}, start="autoencoder"),
            "DKM": Method(DKM, {"epochs": 10}, start="autoencoder"),
            "DynAE": Method(DynAE, {"max_updates": 40, "update_interval": 8}, start="autoencoder"),
            "DCSS_u": Method(DCSS_u, {"phase1_epochs": 6, **PHASES}, start="autoencoder"),
            "DCSS": Method(DCSS, {"phase1_epochs": 0, "phase2_epochs": 8, "T2": 3, **PHASES}, start="DCSS_u"),
            "SimCLR": Method(SimCLR, {"width": 4, "projection_dim": 8, "epochs": 4, "batch_size": 125}),
        },
    )
)


def main() -> int:
    began, chance = time.monotonic(), random.Random(0)
    run_checkpoint.WORTH = 0  # a checkpoint after every epoch: more to hit
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        calm = swept(folder / "calm")
        rows = [
            ("sweep killed with SIGKILL", *killed(folder / "killed", chance, calm)),
            ("two sweeps at once, one killed", *together(folder / "together", chance, calm)),
            ("disk full", *full(folder / "full", calm)),
            *[(f"damaged {kind}s", DAMAGES, *found) for kind, found in damaged(folder, chance).items()],
        ]
    print("| what | times | runs lost, doubled or half-written | temporaries left | named | silent |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, times, wrong, left, named, silent in rows:
        print(f"| {name} | {times} | {wrong} | {left} | {named} | {silent} |")
    print(f"{time.monotonic() - began:.0f} s")
    return int(any(count not in (0, "-") for _, _, wrong, left, _, silent in rows for count in (wrong, left, silent)))


def swept(folder: Path) -> dict[str, tuple]:
    """What the records of a whole sweep say, by name."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        result = sweep(RUNS, folder / "records", starts_folder=folder / "starts", n_jobs=2, device="cpu")
    assert result.complete, result
    return contents(folder)


def contents(folder: Path) -> dict[str, tuple]:
    found = {path.relative_to(folder).as_posix(): records.read(path) for path in (folder / "records").glob("*/*.json")}
    return {name: (record.scores, record.history) for name, record in found.items()}


def apart(found: dict, calm: dict) -> int:
    """Runs that are missing, too many, or not what they are without a storm."""
    return len(found.keys() ^ calm.keys()) + sum(found[name] != calm[name] for name in found.keys() & calm.keys())


def left_over(folder: Path) -> int:
    """Files that a sweep leaves neither for readers nor for locking."""
    hidden = [path for path in folder.rglob("*") if path.is_file() and path.name.startswith(".")]
    half = [path for path in folder.rglob("*") if path.is_file() and path.parent.name == ".work"]
    left = [path for path in {*hidden, *half} if path.suffix != ".lock" and path.name != ".gitignore"]
    for path in left:
        print(f"left: {path.relative_to(folder)}", file=sys.stderr)
    return len(left)


@contextmanager
def sweeping(folder: Path):
    """A sweep in processes of its own, killed with all of them at the end of the block."""

    def work():
        os.setsid()
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        swept(folder)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(process.pid, signal.SIGKILL) if process.is_alive() else None
        process.join()


def killed(folder: Path, chance: random.Random, calm: dict) -> tuple:
    kills = 0
    while kills < KILLS:
        with sweeping(folder) as process:
            process.join(chance.uniform(0.3, 3.0))
            kills += process.is_alive()
        done = sorted((folder / "records").glob("*/*.json"))
        if len(done) > len(calm) / 2:
            for path in chance.sample(done, len(done) // 2):
                path.unlink()
    return kills, apart(swept(folder), calm), left_over(folder), "-", "-"


def together(folder: Path, chance: random.Random, calm: dict) -> tuple:
    with sweeping(folder) as one, sweeping(folder) as other:
        one.join(chance.uniform(3, 5))
        os.killpg(one.pid, signal.SIGKILL)
        other.join()
    return 1, apart(swept(folder), calm), left_over(folder), "-", "-"


def full(folder: Path, calm: dict) -> tuple:
    """A sweep on a disk of 1 MiB, which then grows; it takes the right to mount one."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True).returncode:
        return "not tried: no right to mount a small disk", "-", "-", "-", "-"
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            result = sweep(RUNS, folder / "records", starts_folder=folder / "starts", n_jobs=2, device="cpu")
        named = sum("No space left" in failure.error for failure in result.failed)
        contents(folder)
        subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
        return 1, apart(swept(folder), calm), left_over(folder), f"{named} of {len(result.failed)}", "-"
    finally:
        subprocess.run(["umount", folder], check=True)


def damaged(folder: Path, chance: random.Random) -> dict[str, tuple]:
    """Each kind of file, damaged many times and read: how often that was named, how often other content came out."""
    x = load("digits", subset=500).images
    recipe = Pretraining(widths=(16,), epochs=3, batch_size=100)
    model = AEKMeans(10, start=recipe, random_state=0, progress=False)
    model.fit(x, checkpoint=folder / "checkpoint").save(folder / "model")
    model.start_.save(folder / "start")
    record = next(iter(sorted((folder / "calm" / "records").glob("*/DCSS-*.json"))))
    readers = {
        "record": (record, lambda: vars(records.read(record))),
        "start": (folder / "start" / "start.safetensors", lambda: Start.load(folder / "start").digest),
        "model": (folder / "model" / "model.safetensors", lambda: facts(load_model(folder / "model"))),
        "checkpoint": (folder / "checkpoint", lambda: facts(model.fit(x, checkpoint=folder / "checkpoint"))),
    }
    found = {}
    for kind, (path, read) in readers.items():
        whole, right = path.read_bytes(), read()
        named = silent = 0
        for _ in range(DAMAGES):
            path.write_bytes(changed(whole, chance))
            try:
                silent += read() != right
            except Exception as error:
                named += path.name in str(error)
                silent += path.name not in str(error)
        path.write_bytes(whole)
        found[kind] = "-", "-", named, silent
    return found


def facts(model) -> str:
    return json.dumps([model.start_.digest, model.labels_.tolist(), model.history_, repr(model)])


def changed(content: bytes, chance: random.Random) -> bytes:
    """One bit turned, a piece of zeros, or the end cut off."""
    where = chance.randrange(len(content))
    return chance.choice(
        [
            content[:where] + bytes([content[where] ^ 1 << chance.randrange(8)]) + content[where + 1 :],
            content[:where] + bytes(len(content[where : where + 16])) + content[where + 16 :],
            content[:where],
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
