"""Staging CIFAR-100's vehicles, compared with the published notebooks' way: time and peak memory of a process.

The notebook way unpacks the archive, unpickles both splits, filters a data frame and saves row by row through a
plotting library. Both ways start as processes alternately and write the same PNGs; ours writes manifests as well.
"""

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.results import Claim, NotMeasured, Options, Section, Table

OURS = """
import sys
from pathlib import Path
from training.data.cifar_archive import CifarSource
from training.data.staging import stage
stage(CifarSource(Path(sys.argv[1])), Path(sys.argv[2]) / "staged")
"""
NOTEBOOK = """
import pickle, sys, tarfile
from pathlib import Path
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
out = Path(sys.argv[2])
with tarfile.open(sys.argv[1]) as archive:
    archive.extractall(out, filter="data")
for split in ("train", "test"):
    (out / split).mkdir()
    with open(out / "cifar-100-python" / split, "rb") as file:
        content = pickle.load(file, encoding="bytes")
    rows = pd.DataFrame({
        "filenames": content[b"filenames"], "labels": content[b"fine_labels"], "row": range(len(content[b"filenames"]))
    })
    rows = rows.loc[rows["labels"].isin([8, 48])]
    for name, row in zip(rows["filenames"], rows["row"]):
        image = content[b"data"][row]
        target = np.dstack([image[channel:channel + 1024].reshape(32, 32) for channel in (0, 1024, 2048)])
        if target.any():
            plt.imsave(out / split / name.decode(), target)
"""
WAYS = {"scones": OURS, "notebook": NOTEBOOK}
_MEMORY = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, file=sys.stderr)
"""


def measure(options: Options) -> Section:
    """Stage the archive both ways, alternately."""
    if options.archive is None:
        raise NotMeasured("CIFAR-100 is missing: set SCONES_CIFAR100 or --archive")
    if importlib.util.find_spec("pandas") is None:
        raise NotMeasured("the notebook's way needs pandas: `make bench` installs it")
    rounds = 1 if options.quick else 5
    figures = _medians(options.archive, rounds)
    ours, theirs = figures["scones"], figures["notebook"]
    claims = [
        Claim("times faster than the notebook way", round(theirs["seconds"] / ours["seconds"], 2), 2, at_least=True),
        Claim("of its peak memory", round(ours["mebibytes"] / theirs["mebibytes"], 2), 0.7),
    ]
    method = (
        "CIFAR-100's archive to PNG files, as a process from its start: `scones stage` with .lst files and manifest, "
        f"and pandas with matplotlib's imsave row by row, without them. Medians of {rounds} each."
    )
    rows = [(name, *each.values()) for name, each in figures.items()]
    table = Table.of(["way", "s", "CPU s", "peak MiB", "images"], rows)
    return Section("Staging", method, [table], claims, figures)


def _medians(archive: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return median seconds, CPU seconds and peak MiB of each way, and the number of images that it wrote."""
    samples: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in WAYS}
    for number in range(rounds + 1):
        for name, program in WAYS.items():
            sample = _staged(program, archive)
            if number:  # the first round warms the disk's cache
                samples[name].append(sample)
    return {
        name: {
            "seconds": round(statistics.median(sample[0] for sample in each), 2),
            "cpu_seconds": round(statistics.median(sample[1] for sample in each), 2),
            "mebibytes": round(statistics.median(sample[2] for sample in each), 1),
            "images": each[0][3],
        }
        for name, each in samples.items()
    }


def _staged(program: str, archive: Path) -> tuple[float, float, float, int]:
    """Return seconds, CPU seconds, peak MiB and the number of images of one process."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", program + _MEMORY, str(archive), scratch],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        seconds = time.monotonic() - began
        mebibytes, cpu = map(float, done.stderr.splitlines()[-1].split())
        return seconds, cpu, mebibytes, len(list(Path(scratch).rglob("*.png")))
