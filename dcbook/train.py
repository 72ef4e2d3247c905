"""Train DeepCluster on images that stay on disk: ``torchrun --nproc-per-node=8 -m dcbook.train images --out folder``.

Each process reads and embeds its share of the images, and sums for PCA, k-means and gradients are taken over all
processes, so the result equals that of one process (``python -m dcbook.train``). If the command is stopped at any time,
the same command continues from the last epoch.
"""

import argparse
import ast
import inspect
import json
import sys
from pathlib import Path

import torch

from dcbook.data import DataError, ImageFile, ImageFolder
from dcbook.distributed import start_processes
from dcbook.files import write_whole
from dcbook.methods import DeepCluster


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    group = start_processes()
    try:
        images = ImageFolder(options.images, options.size) if options.images.is_dir() else ImageFile(options.images)
        model = DeepCluster(**{"progress": group.rank == 0} | dict(options.settings))
        model.fit(images, checkpoint=options.out / "checkpoint.safetensors")
    except (ValueError, TypeError, DataError, FloatingPointError, OSError) as error:
        sys.exit(f"dcbook.train: {error}")
    if group.rank == 0:
        model.save(options.out / "model")
        write_whole(options.out / "history.json", json.dumps(model.history_, indent=1))
        print(f"{options.out}/model after {len(model.history_)} epochs: {json.dumps(model.history_[-1:])}")
    if group.size > 1:
        torch.distributed.destroy_process_group()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m dcbook.train", description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path, help="a folder with one folder per class, or a .npy file of uint8 images")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint, the model and its history")
    parser.add_argument("--size", type=int, default=256, help="side of the resized images, in pixels (default: 256)")
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="NAME=VALUE",
        type=_setting,
        action="extend",
        nargs="+",
        default=[],
        help="parameters of dcbook.methods.DeepCluster, as in n_clusters=10000 architecture=alexnet epochs=500",
    )
    return parser


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    known = list(inspect.signature(DeepCluster).parameters)
    if not equals or name not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is not a setting; the settings are {', '.join(known)}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, float(value) if value in ("nan", "inf") else value


if __name__ == "__main__":
    main()
