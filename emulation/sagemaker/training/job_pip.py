"""``python -m emulation.sagemaker.training.job_pip PYTHON FOLDER FILE install …``: the ``pip`` of a job's command.

``pip install`` puts what the interpreter lacks into the folder, and why it could not into the file; uv performs other
commands.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from emulation.processes.python_environments import find_uv
from emulation.sagemaker import requirements_file
from emulation.sagemaker.errors import RequirementsNotInstalled


def main(arguments: Sequence[str]) -> int:
    """Perform one command of pip; return the exit status."""
    python, folder, failure, *rest = arguments
    if rest[:1] != ["install"]:
        return subprocess.call([find_uv(python) or "uv", "pip", *rest[:1], "--python", python, *rest[1:]])
    requirements = Path(folder).parent / "pip-arguments.txt"
    requirements.write_text("\n".join(_lines(rest[1:])))
    try:
        requirements_file.install(python, requirements, Path(folder), print, directory=Path.cwd())
    except RequirementsNotInstalled as error:
        print(f"ERROR: {error}", file=sys.stderr)
        Path(failure).write_text(str(error))
        return 1
    return 0


def _lines(options: Sequence[str]) -> list[str]:
    """Return pip's arguments as the lines of a requirements file; how it installs and prints is not ours to choose."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-r", "--requirement", action="append", default=[], type=Path)
    parser.add_argument("-e", "--editable", action="append", default=[])
    parser.add_argument("--no-index", action="store_true")
    for short, long in (("-i", "--index-url"), ("-X", "--extra-index-url"), ("-f", "--find-links")):
        parser.add_argument(short, long, action="append", default=[])
    known, rest = parser.parse_known_args(list(options))
    lines = [f"--index-url {url}" for url in known.index_url]
    lines += [f"--extra-index-url {url}" for url in known.extra_index_url]
    lines += [f"--find-links {link}" for link in known.find_links]
    lines += ["--no-index"] if known.no_index else []
    for file in known.requirement:
        lines += [*(requirements_file.options(file) if file.is_file() else []), f"-r {file.absolute()}"]
    return [*lines, *(f"-e {path}" for path in known.editable), *(word for word in rest if not word.startswith("-"))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
