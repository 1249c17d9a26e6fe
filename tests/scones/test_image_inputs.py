from pathlib import Path

from scones.image_inputs import walk


def test_the_images_of_a_folder_are_found_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.png", "b.JPG", "notes.txt", "deep/er/c.webp", "deep/.hidden"):
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert {path.name for path in walk(tmp_path)} == {"a.png", "b.JPG", "c.webp"}
