"""What is mutated, and the tests that should detect it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Files that are changed, and the tests that should notice; ``service`` names the Lambda whose folder it is."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    service: str = ""


TARGETS = {
    "filter": Target(("handler.py", "errors.py"), ("tests/test_handler.py", "tests/test_errors.py"), "filter"),
    "classify": Target(
        ("handler.py", "endpoint.py", "errors.py", "settings.py"),
        (
            "tests/test_settings.py",
            "tests/test_requests.py",
            "tests/test_errors.py",
            "tests/test_endpoint_prediction.py",
            "tests/test_endpoint.py",
            "tests/test_handler.py",
        ),
        "classify",
    ),
    "serialize": Target(
        ("handler.py", "s3_objects.py", "image.py", "errors.py", "settings.py"),
        (
            "tests/test_settings.py",
            "tests/test_requests.py",
            "tests/test_errors.py",
            "tests/test_s3_objects.py",
            "tests/test_handler.py",
            "tests/test_image.py",
            "tests/test_scaling.py",
            "tests/test_metadata.py",
        ),
        "serialize",
    ),
    "threshold": Target(
        ("monitoring/threshold.py", "monitoring/evaluation.py"),
        ("tests/monitoring/test_evaluation.py", "tests/monitoring/test_threshold.py"),
    ),
    "calibration": Target(("monitoring/calibration.py",), ("tests/monitoring/test_calibration.py",)),
    "temperature": Target(
        ("training/vehicle_net/calibrate.py",), ("tests/training/vehicle_net/test_vehicle_net_calibrate.py",)
    ),
    "accounting": Target(("scones/demo_summary.py",), ("tests/scones/test_demo_summary.py",)),
}
