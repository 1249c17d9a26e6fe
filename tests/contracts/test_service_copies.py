"""What each Lambda function repeats, because it imports nothing of the repository, is the same in all of them."""

import ast
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"


def source_of(service: str, name: str, module: str = "handler.py") -> str:
    text = (SERVICES / service / module).read_text("utf-8")
    definitions = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef | ast.ClassDef))
    (node,) = (each for each in definitions if each.name == name)
    return ast.unparse(node)


@pytest.mark.parametrize("function", ["_text", "_advice", "_is_unicode"])
def test_a_function_that_every_handler_repeats_is_the_same_in_each(function: str) -> None:
    first, *others = (source_of(service, function) for service in ("serialize", "classify", "filter"))
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("name", "serialize", "classify"),
    [
        ("Credentials", "settings.py", "settings.py"),
        ("credentials", "settings.py", "settings.py"),
        ("HttpSession", "s3_objects.py", "endpoint.py"),
        ("dns_suffix", "s3_objects.py", "endpoint.py"),
    ],
)
def test_what_both_need_to_sign_and_send_a_request_is_the_same(name: str, serialize: str, classify: str) -> None:
    assert source_of("serialize", name, serialize) == source_of("classify", name, classify)
