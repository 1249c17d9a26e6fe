from pathlib import Path

from tests.cli_runner import User


def test_the_demo_uses_no_local_environment_of_another_region(started_in_us_east_1: Path) -> None:
    done = User(started_in_us_east_1, {"AWS_REGION": "eu-west-1"}).run("demo")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the local environment runs in us-east-1")
