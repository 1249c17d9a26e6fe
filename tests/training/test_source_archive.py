import runpy
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from training import source_archive

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def test_the_same_source_makes_the_same_archive() -> None:
    assert source_archive.build() == source_archive.build()


def test_the_archive_holds_all_that_the_trainer_imports_and_nothing_that_it_does_not() -> None:
    with tarfile.open(fileobj=BytesIO(source_archive.build())) as archive:
        names = archive.getnames()
    needed = {"entry_point.py", "requirements.txt", "training/vehicle_net/train.py", "core/labels.py"}
    assert needed <= {*names}
    assert "training/data/rendering/bicycle.py" in names
    assert not [name for name in names if name.startswith(("scones", "emulation", "tests"))]


def test_the_processes_that_render_for_a_job_do_not_train_again(tmp_path: Path) -> None:
    with tarfile.open(fileobj=BytesIO(source_archive.build())) as archive:
        archive.extract("entry_point.py", tmp_path, filter="data")
    loaded = runpy.run_path(str(tmp_path / "entry_point.py"), run_name="__mp_main__")  # as multiprocessing does
    assert "main" not in loaded


def test_the_job_installs_the_versions_that_the_project_pins() -> None:
    pinned = "".join((REQUIREMENTS / name).read_text() for name in ("scones.txt", "train.txt"))
    assert all(line in pinned for line in source_archive.REQUIREMENTS.read_text().split())


class Uploads:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> Any:  # noqa: N803 - boto3's names
        self.objects[f"s3://{Bucket}/{Key}"] = Body
        return {"ETag": ""}


def test_the_archive_is_uploaded_under_its_digest() -> None:
    s3 = Uploads()
    uri = source_archive.upload(s3, "data", "training/source")
    assert s3.objects == {uri: source_archive.build()}
    assert uri.startswith("s3://data/training/source/")
    assert source_archive.upload(s3, "data", "training/source") == uri
