"""Links and paths in the documents exist. External links are not checked, because tests work without a network."""

from pathlib import Path

import pytest

from tests.documents.markdown import DOCUMENTS, ROOT, anchors, links, repository_paths


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_targets_of_links_exist(document: Path) -> None:
    broken = []
    for link in links(document):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_of_the_repository_exist(document: Path) -> None:
    assert {path for path in repository_paths(document) if not (ROOT / path).exists()} == set()


def test_every_document_is_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), {ROOT / "README.md"}
    while ahead:
        reached |= ahead
        targets = {(page.parent / link.partition("#")[0]).resolve() for page in ahead for link in links(page)}
        ahead = {target for target in targets if target.suffix == ".md" and target.is_file()} - reached
    unreached = {str(page.relative_to(ROOT)) for page in DOCUMENTS} - {str(page.relative_to(ROOT)) for page in reached}
    assert unreached == set()
