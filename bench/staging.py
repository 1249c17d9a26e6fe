"""Staging CIFAR-100's vehicles, beside the way that the published notebooks take: time and peak memory of a process.

python -m bench.staging --archive cifar-100-python.tar.gz [--rounds 5] [--json]

The notebook way unpacks the archive, unpickles both splits, filters a data frame and saves row by row through a
plotting library. Both ways start as processes in turns and write the same PNGs; ours writes manifests as well.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.results import Claim, NotMeasured, Section

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


def _once(program: str, archive: Path) -> tuple[float, float, float, int]:
    """Seconds, the processor's seconds, peak MiB and written images of one process."""
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


def measure(archive: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds and peak MiB of either way, and how many images it wrote."""
    taken: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in WAYS}
    for number in range(rounds + 1):
        for name, program in WAYS.items():
            sample = _once(program, archive)
            if number:  # the first round warms the disk's cache
                taken[name].append(sample)
    return {
        name: {
            "seconds": round(statistics.median(sample[0] for sample in samples), 2),
            "cpu_seconds": round(statistics.median(sample[1] for sample in samples), 2),
            "mebibytes": round(statistics.median(sample[2] for sample in samples), 1),
            "images": samples[0][3],
        }
        for name, samples in taken.items()
    }


def section(options: Any) -> Section:
    """Measure for `make bench`."""
    if options.archive is None:
        raise NotMeasured("it needs CIFAR-100: name the archive by SCONES_CIFAR100 or --archive")
    if importlib.util.find_spec("pandas") is None:
        raise NotMeasured("the notebook way needs pandas: `make bench` installs it")
    found = measure(options.archive, 1 if options.quick else 5)
    ours, theirs = found["scones"], found["notebook"]
    rows = [
        [name, f"{each['seconds']}", f"{each['cpu_seconds']}", f"{each['mebibytes']}", f"{each['images']:.0f}"]
        for name, each in found.items()
    ]
    claims = [
        Claim("times faster than the notebook way", round(theirs["seconds"] / ours["seconds"], 2), 2, at_least=True),
        Claim("of its peak memory", round(ours["mebibytes"] / theirs["mebibytes"], 2), 0.7),
    ]
    how = (
        "CIFAR-100's archive to PNG files, as a process from its start: `scones stage` with .lst files and manifest, "
        f"and pandas with matplotlib's imsave row by row, without them. Medians of {1 if options.quick else 5} each."
    )
    return Section("Staging", how, ["way", "s", "CPU s", "peak MiB", "images"], rows, claims, found)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.staging", description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = measure(options.archive, options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, figures in found.items():
        print(f"{name:10} {figures['seconds']:6.2f} s {figures['mebibytes']:7.1f} MiB {figures['images']:6.0f} images")
    ours, theirs = found["scones"], found["notebook"]
    faster, less = theirs["seconds"] / ours["seconds"], ours["mebibytes"] / theirs["mebibytes"]
    print(f"{faster:.1f} times as fast, {less:.2f} of the memory")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
