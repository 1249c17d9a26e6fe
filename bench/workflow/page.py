"""The page of figures, made of what `bench.batch` has kept; nothing in it is typed in by hand."""

from typing import Any

from bench.workflow.batches import COMMAND
from bench.workflow.functions import MB_OF_A_CORE

_HEAD = """# The workflow, measured
Written by `python -m bench.batch --write docs/batch.md`. Rendered images of 32 by 32 pixels, the shipped network, the
local stack as plain processes; LocalStack interprets the state machines in one Python process, which is what bounds it.
The load average says how much else the machine had to do.
"""
_BATCH = """
## {images:,} images by `scones batch`
One in twenty broken, one in ten calls of the endpoint throttled ({throttled:,} were). {machine}

| images | classified | review queue | failure queue | differ from one by one | exit code | seconds | images a second |
|---:|---:|---:|---:|---:|---:|---:|---:|
| {images:,} | {classified:,} | {review:,} | {failure:,} | {differing:,} | {exit} | {seconds:.1f} | **{rate:.1f}** |

Where the time goes, by part of the stack:

| part | CPU seconds | CPU ms an image | share | peak MiB |
|---|---:|---:|---:|---:|
{parts}

Where it goes in a single execution, the mean of {executions} with four under way at once:

| state | ms |
|---|---:|
{states}
"""
_GROWTH = """
## Memory
The same stack takes a small batch, then a large one. {machine}

| part | {small:,} images: peak MiB | {large:,} images: peak MiB |
|---|---:|---:|
{memory}

With {times:.0f} times the images, what is ours takes at most {ours:.1%} more ({who}). LocalStack keeps every execution
and every result in memory until it ends. Images a second: {small_rate:.1f} and {large_rate:.1f}.
"""
_SAMPLES = """
What LocalStack's one interpreter was at during the small batch ({count:,} samples):

| | share |
|---|---:|
{samples}
"""
_OUTAGE = """
## Outages in the middle of {executions} executions
{machine}

| outage | executions ended before it | under way |
|---|---:|---:|
{outages}

All {terminal} came to an end, after {seconds:.0f} seconds: {succeeded} succeeded, {review} went to review, {failure} to
the failure queue{failed}. Inputs = outcomes + review + failures: {accounted}. `scones redrive` started {started} again,
of which {again} succeeded.
"""
_PAYLOAD = """
## Images of any size
Noise, which does not compress. {machine}

| file | bytes | ended as | ms |
|---|---:|---|---:|
{rows}
"""

_FUNCTIONS = """
## What the functions need
Each in a process of its own, start included, the best of three runs, on the largest images that are taken. {machine}
Lambda gives a core for each {core:,} MB, so that the last column but one is what those milliseconds would become there:
an estimate, not a measurement. Memory beyond the peak is there for the share of a core that comes with it.

| input | peak MiB | given MB | ms on a core | ms at that memory | time limit, s |
|---|---:|---:|---:|---:|---:|
{rows}
"""


def page(kept: dict[str, Any]) -> str:
    """Return the page; what has not been measured is left out."""
    parts = {"batch": _batch, "growth": _growth, "outage": _outage, "payload": _payload, "functions": _functions}
    measured = {name: write for name, write in parts.items() if name in kept}
    return _HEAD + "".join(write(kept[name]["found"], _machine(kept[name])) for name, write in measured.items())


def _machine(kept: dict[str, Any]) -> str:
    it, (before, after) = kept["machine"], kept["load"]
    return (
        f"({it['cores']} cores of {it['cpu']}, {it['gib']} GiB, Python {it['python']}, {it['date']}; load average "
        f"{before} before and {after} after.)"
    )


def _batch(found: dict[str, Any], machine: str) -> str:
    images, used = found["images"], found["cpu_seconds"]
    whole = sum(used.values())
    parts = [
        f"| {name} | {spent:.1f} | {1000 * spent / images:.0f} | {spent / whole:.0%} | {found['peak_mib'][name]:,} |"
        for name, spent in used.items()
    ]
    parts.append(f"| all | {whole:.1f} | {1000 * whole / images:.0f} | | |")
    states = [f"| {name} | {ms:.0f} |" for name, ms in found["one_by_one"]["mean_ms"].items()]
    return _BATCH.format(
        images=images,
        throttled=found["throttled"],
        machine=machine,
        classified=found["outcomes"].get("SUCCEEDED", 0),
        review=found["queued"].get("review", 0),
        failure=found["queued"].get("failure", 0),
        differing=found["differing"],
        exit=found["exit"],
        seconds=found["seconds"],
        rate=found["images_a_second"],
        parts="\n".join(parts),
        executions=found["one_by_one"]["executions"],
        states="\n".join(states),
    )


def _growth(found: dict[str, Any], machine: str) -> str:
    small, large = found["batches"]
    grown = {
        name: large["peak_mib"][name] / peak - 1 for name, peak in small["peak_mib"].items() if name != "LocalStack"
    }
    who = max(grown, key=lambda name: grown[name])
    names = [COMMAND, *(name for name in small["peak_mib"] if name != COMMAND)]
    memory = [f"| {name} | {small['peak_mib'][name]:,} | {large['peak_mib'][name]:,} |" for name in names]
    text = _GROWTH.format(
        machine=machine,
        small=small["images"],
        large=large["images"],
        memory="\n".join(memory),
        small_rate=small["images_a_second"],
        large_rate=large["images_a_second"],
        times=large["images"] / small["images"],
        ours=grown[who],
        who=who,
    )
    count = sum(found["samples"].values())
    if not count:
        return text
    rows = [f"| {name} | {samples / count:.0%} |" for name, samples in found["samples"].items()]
    return text + _SAMPLES.format(count=count, samples="\n".join(rows))


def _outage(found: dict[str, Any], machine: str) -> str:
    failed = ", ".join(f"{name} {count}" for name, count in found["failed"].items())
    return _OUTAGE.format(
        machine=machine,
        executions=found["executions"],
        outages="\n".join(f"| {one['what']} | {one['ended']} | {one['under_way']} |" for one in found["outages"]),
        terminal=found["terminal"],
        seconds=found["seconds"],
        succeeded=found["succeeded"],
        review=found["queued"].get("review", 0),
        failure=found["queued"].get("failure", 0),
        failed=f" ({failed})" if failed else "",
        accounted="yes" if found["accounted_for"] else "**no**",
        started=found["redriven"]["started"],
        again=found["redriven"].get("SUCCEEDED", 0),
    )


def _payload(found: dict[str, Any], machine: str) -> str:
    rows = [f"| {name} | {one['bytes']:,} | {one['ended']} | {one['ms']:,} |" for name, one in found.items()]
    return _PAYLOAD.format(machine=machine, rows="\n".join(rows))


def _functions(found: dict[str, Any], machine: str) -> str:
    rows = []
    for what, one in found["inputs"].items():
        given = found["template"][what.partition(":")[0]]
        there = one["ms"] / min(1.0, given["memory_mb"] / MB_OF_A_CORE)
        rows.append(
            f"| {what} | {one['mib']} | {given['memory_mb']:,} | {one['ms']:,} | {there:,.0f} | {given['timeout_s']} |"
        )
    return _FUNCTIONS.format(machine=machine, core=MB_OF_A_CORE, rows="\n".join(rows))
