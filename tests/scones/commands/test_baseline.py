import functools
from pathlib import Path

import pytest

from monitoring.baseline import MIN_PREDICTIONS, Baseline
from scones import staged_datasets
from tests.scones.conftest import Cli
from training.data.errors import NoNetwork
from training.data.synthetic import SyntheticSource
from training.vehicle_net.errors import IncompleteModel


def test_the_baseline_of_rendered_vehicles_is_of_every_training_image_since_all_are_new(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = functools.partial(SyntheticSource, train=MIN_PREDICTIONS, test=2)
    monkeypatch.setattr(few, "dataset", SyntheticSource.dataset, raising=False)
    monkeypatch.setattr(staged_datasets, "SyntheticSource", few)
    done = cli("baseline", "--synthetic", "--out", str(tmp_path / "baseline.json"))
    assert done.exit_code == 0, done.output
    baseline = Baseline.read(tmp_path / "baseline.json")
    assert baseline.n == MIN_PREDICTIONS
    assert baseline.source == (
        f"predictions for {MIN_PREDICTIONS} rendered vehicles, and image statistics of {MIN_PREDICTIONS + 2} images"
    )
    assert baseline.reference is not None
    assert baseline.reference.n == MIN_PREDICTIONS


def test_without_cifar_100_rendered_vehicles_do_not_replace_the_baseline(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise NoNetwork("https://images.example", "offline")

    monkeypatch.setattr(staged_datasets, "locate_archive", unreachable)
    result = cli("baseline", "--out", str(tmp_path / "baseline.json"))
    assert isinstance(result.exception, NoNetwork)
    assert not (tmp_path / "baseline.json").exists()


@pytest.mark.parametrize("option", ["--since", "--from", "--to", "--endpoint"])
def test_options_of_captures_are_refused_without_captured(option: str, cli: Cli) -> None:
    result = cli("baseline", option, "2026-11-24T06:00")
    assert result.exit_code == 2
    assert "is used only with --captured" in " ".join(result.output.replace("│", " ").split())


def test_a_folder_that_is_no_model_is_named(cli: Cli, tmp_path: Path) -> None:
    result = cli("baseline", "--model", str(tmp_path))
    assert isinstance(result.exception, IncompleteModel)
    assert str(tmp_path / "model.json") in str(result.exception)
