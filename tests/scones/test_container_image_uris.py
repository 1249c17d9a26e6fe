import pytest

from orchestration import image_builds
from scones.container_image_uris import inference_uri
from scones.container_images import image_sources
from scones.settings import Settings, Target
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import Ecr


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [("ml.m5.xlarge", "x86_64"), ("ml.g5.xlarge", "x86_64"), ("ml.g4dn.xlarge", "x86_64"), ("ml.c7g.large", "arm64")],
)
def test_the_inference_image_is_that_of_its_instance(instance_type: str, architecture: str) -> None:
    settings, session = Settings(target=Target.AWS), FakeSession(ecr=Ecr())
    assert inference_uri(session, settings, instance_type) == f"ecr/scones/inference@{Ecr.DIGEST}"
    (source,) = image_sources(settings, ("inference",))
    tag = image_builds.tag(image_builds.context_archive(source), image_builds.PLATFORMS[architecture])
    assert session.sent["ecr.describe_images"]["imageIds"] == [{"imageTag": tag}]


def test_a_local_target_needs_no_registry() -> None:
    assert inference_uri(FakeSession(), Settings(), "ml.m5.xlarge") is None
