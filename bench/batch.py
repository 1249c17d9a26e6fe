"""Batches of growing size by `scones batch` on the local environment: throughput, CPU time and memory."""

from bench.deployed_environment import MeasuredBatch, deployed, processes
from bench.localstack_profile import sampled
from bench.results import Claim, Options, Section, Table

_SIZES = (100, 500, 1000, 3000, 5000)
_SMALL, _LARGE = 500, 3000
_HEADER = "batch|images a second|s|of {} images|CPU ms an image|LocalStack's peak MiB|MiB on disk"


def measure(options: Options) -> Section:
    """Run each size on its own environment, so that none inherits another's history."""
    sizes = (20, 40) if options.quick else _SIZES
    small, large = (sizes[0], sizes[-1]) if options.quick else (_SMALL, _LARGE)
    batches: dict[int, MeasuredBatch] = {}
    for size in sizes:
        with deployed() as deployment:
            batches[size] = deployment.batch(size)
    with deployed() as deployment, sampled(processes()["LocalStack"][0].pid) as samples:
        deployment.batch(small)
    usual = batches[small].images_a_second
    throughput = [
        (f"{size:,} images", f"{each.images_a_second:.2f}", f"{each.summary['seconds']:.1f}",
         f"{each.images_a_second / usual:.2f}", f"{each.cpu_ms_an_image:.1f}", each.peak_mib["LocalStack"],
         f"{each.disk_mib:.1f}")
        for size, each in batches.items()
    ]  # fmt: skip
    growth = _growth(batches[small], batches[large])
    tables = [
        Table.of(_HEADER.format(f"{small:,}").split("|"), throughput),
        _processes(batches[small], batches[large]),
        *_localstack(samples, small),
    ]
    claims = [
        Claim(
            f"throughput at {large:,} images, of that at {small:,}",
            round(batches[large].images_a_second / usual, 2),
            0.8,
            at_least=True,
        ),
        Claim(
            f"CPU time an image at {large:,} images, of that at {small:,}",
            round(batches[large].cpu_ms_an_image / batches[small].cpu_ms_an_image, 2),
            1.1,
        ),
        Claim(f"memory at {large:,} images, of that at {small:,}, of the process of ours that grows most", growth, 1.1),
    ]
    method = (
        "Rendered images as one batch by `scones batch`, each size once, on a fresh local environment; seconds of the "
        "whole command, uploading included. LocalStack interprets the state machines in one Python process, which is "
        "the limit. On disk is what the state directory has grown by."
    )
    figures = {
        str(size): {"seconds": each.summary["seconds"], "images_a_second": each.images_a_second,
                    "cpu_seconds": each.cpu_seconds, "peak_mib": each.peak_mib, "disk_mib": each.disk_mib}
        for size, each in batches.items()
    }  # fmt: skip
    return Section("Batch", method, tables, claims, figures)


def _processes(small: MeasuredBatch, large: MeasuredBatch) -> Table:
    """Where CPU time goes, and how memory grows."""
    whole = sum(large.cpu_seconds.values())
    rows: list[tuple[object, ...]] = [
        (name, f"{seconds:.1f}", f"{1000 * seconds / large.images:.0f}", f"{seconds / whole:.0%}",
         large.peak_mib[name], small.peak_mib[name])
        for name, seconds in large.cpu_seconds.items()
    ]  # fmt: skip
    rows.append(("all", f"{whole:.1f}", f"{1000 * whole / large.images:.0f}", "", "", ""))
    header = ["process", "CPU s", "CPU ms an image", "share", "peak MiB", f"peak MiB at {small.images:,} images"]
    return Table.of(header, rows, f"By process, at {large.images:,} images:")


def _growth(small: MeasuredBatch, large: MeasuredBatch) -> float:
    ours = [name for name in small.peak_mib if name != "LocalStack"]
    return round(max(large.peak_mib[name] / small.peak_mib[name] for name in ours), 3)


def _localstack(samples: dict[str, int], images: int) -> list[Table]:
    """What LocalStack's interpreter was at; no table where py-spy is not installed."""
    count = sum(samples.values())
    rows = [(name, f"{each / count:.0%}") for name, each in sorted(samples.items(), key=lambda item: -item[1])]
    caption = f"What LocalStack's one interpreter was doing during {images:,} images ({count:,} samples):"
    return [Table.of(["", "share"], rows, caption)] if count else []
