"""`scones baseline`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.files import ensure_writable_file
from monitoring.baseline import Baseline
from scones import baseline_creation, model_baseline, options
from scones.context import CommandContext
from scones.options import with_context
from scones.time_ranges import TimeRange
from training.vehicle_net.package import SHIPPED


@with_context("archive", "target", "stack", "home", "as_json")
def baseline(  # noqa: PLR0913, PLR0917 - each is an option
    context: CommandContext,
    model: Annotated[
        Path,
        typer.Option(
            "--model", help="Model directory, with model.onnx and model.json.", show_default="the shipped model"
        ),
    ] = SHIPPED,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Use rendered vehicles; writes baseline-synthetic.json.")
    ] = False,
    captured: Annotated[
        bool,
        typer.Option("--captured", help="Use the endpoint's captured inferences; writes to S3 next to its model."),
    ] = False,
    since: options.SinceOption = None,
    start: options.FromOption = None,
    end: options.ToOption = None,
    endpoint: options.EndpointOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write [default: baseline.json next to the model].")
    ] = None,
) -> None:
    """Create the baseline that `scones monitor` compares with.

    It holds the model's predictions for held-out test images; `scones endpoint deploy` uploads it with the model.

    Example: `scones baseline --captured --since 7d`
    """
    if synthetic and captured:
        raise typer.BadParameter("use only one of them", param_hint="--synthetic, --captured")
    if not captured and (since or start or end or endpoint):
        raise typer.BadParameter("is used only with --captured", param_hint="--since, --from, --to, --endpoint")
    if out:
        ensure_writable_file(out)
    if captured:
        name = endpoint or context.endpoint_name
        time_range = TimeRange.parse(since, start, end, datetime.now(UTC))
        created = baseline_creation.of_captures(context.session, name, time_range)
        written_to = _write(created, out) if out else model_baseline.store(context.session, name, created)
    else:
        created = baseline_creation.of_model(context.settings, model, synthetic=synthetic)
        written_to = _write(created, out or model / ("baseline-synthetic.json" if synthetic else "baseline.json"))
    first, second = created.labels
    values = {"baseline": written_to, "source": created.source, "answers": created.n}
    values |= {"answers of each label": f"{first}, {second}"}
    values |= {"mean confidence": round(float(created.confidences.mean()), 4)}
    if created.reference is not None:
        values["calibration"] = (
            f"{created.reference.n} answers, {created.reference.offset:+.4f} from confidence to accuracy"
        )
    context.print_values(values)


def _write(created: Baseline, path: Path) -> str:
    created.write(path)
    return str(path)
