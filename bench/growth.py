"""Batches of growing size through `scones batch` on the local stack: whether the throughput stays as it is."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.results import Claim, Section
from bench.workflow.rig import pictures, running
from scones.settings import Settings

SIZES = (100, 500, 1000, 3000, 5000)


def section(options: Any) -> Section:
    """Measure for `make bench`; each size on a stack of its own, so that none inherits another's history."""
    sizes = (20, 40) if options.quick else SIZES
    small, large = (sizes[0], sizes[-1]) if options.quick else (500, 3000)
    figures = {str(size): batched(size) for size in sizes}
    usual = figures[str(small)]["images_a_second"]
    rows = [
        [
            f"{size} images",
            f"{each['images_a_second']:.2f}",
            f"{each['seconds']:.1f}",
            f"{each['images_a_second'] / usual:.2f}",
        ]
        for size, each in figures.items()
    ]
    claims = [
        Claim(
            f"throughput at {large:,} images, of that at {small:,}",
            round(figures[str(large)]["images_a_second"] / usual, 2),
            0.8,
            at_least=True,
        )
    ]
    how = (
        "Rendered images as one batch by `scones batch`, each size once, on a fresh embedded stack; seconds of the "
        "whole command, uploading included."
    )
    header = ["batch", "images a second", "s", f"of {small:,} images"]
    return Section("Batch", how, header, rows, claims, figures)


def batched(size: int) -> dict[str, float]:
    """Run one batch on a stack of its own."""
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "home", Settings.from_environment().cache) as rig:
        folder = Path(name) / "pictures"
        pictures(folder, size, broken=0)
        command = [sys.executable, "-m", "scones", "batch", str(folder), "--json", "--out", name]
        environment = {**os.environ, "SCONES_HOME": str(rig.settings.home), "SCONES_CACHE": str(rig.settings.cache)}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        seconds = float(json.loads(done.stdout)["seconds"])
    return {"seconds": seconds, "images_a_second": round(size / seconds, 2)}
