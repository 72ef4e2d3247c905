"""What a notebook's numbers were made with, in a few lines."""

import os
import platform
from collections.abc import Sequence

import torch

from dcbook.experiments.progress import clock
from dcbook.experiments.provenance import device_name, environment
from dcbook.experiments.records import Record, place


def text(scale: str, records: Sequence[Record]) -> str:
    """Commit, versions and machine now; and of the records: their number, time, devices and data digests."""
    now = environment()
    if now["commit"]:
        commit = now["commit"][:12] + (", with files changed since" if now["dirty"] else "")
    else:
        commit = "not a git checkout"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lines = [
        ("scale", scale),
        ("commit", commit),
        ("versions", ", ".join(f"{name} {version}" for name, version in now["versions"].items())),
        ("machine", f"{device_name(device)}, {os.cpu_count()} CPU cores, {platform.system()}"),
    ]
    about = [record.provenance for record in records]
    seconds = sum(entry.get("seconds") or 0 for entry in about)
    lines.append(("runs", f"{len(about)} with a record, {clock(seconds)} of computing in all"))
    for device in sorted({str(entry.get("device")) for entry in about}):
        lines.append(("made on", device))
    data = {place(record.run): record.provenance.get("data", {}) for record in records}
    for name, entry in data.items():
        original = "the original" if entry.get("original") else "not the original files, see the records"
        lines.append(("data", f"{name}: digest {str(entry.get('digest'))[:12]}, {original}"))
    return "\n".join(f"{name:<9} {value}" for name, value in lines)
