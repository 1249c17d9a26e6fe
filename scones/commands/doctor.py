"""`scones doctor`."""

from typing import Annotated

import typer

from scones import console
from scones.context import CommandContext
from scones.diagnosis import CHECKS, CheckStatus, Mode
from scones.options import with_context
from scones.views.diagnosis import findings_table


@with_context("archive", "stack", "home", "as_json")
def doctor(
    context: CommandContext,
    modes: Annotated[list[Mode] | None, typer.Argument(help="Modes to check [default: laptop and docker].")] = None,
) -> None:
    """Check whether this machine has what each mode needs.

    For `laptop`: Python, disk, folders, proxies, ports, LocalStack's environment, PyTorch and CIFAR-100. For `docker`:
    the engine, Compose and disk. For `aws`: region, credentials, quotas and the Docker engine; only this mode calls
    AWS. Creates nothing. Exit code 1 if something required is missing.

    Example: `scones doctor`, or before a deployment `scones doctor aws`
    """
    with console.progress("checking"):
        chosen = modes or [Mode.LAPTOP, Mode.DOCKER]
        findings = [(mode, finding) for mode in chosen for finding in CHECKS[mode](context.settings)]
    if context.as_json:
        console.print_json([finding.to_dict(mode) for mode, finding in findings])
    else:
        console.out.print(findings_table(findings))
    raise typer.Exit(int(any(finding.status is CheckStatus.ERROR for _, finding in findings)))
