"""What each Lambda function repeats, because it imports nothing of the repository, is the same in all of them."""

import ast
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"


def source_of(service: str, function: str) -> str:
    text = (SERVICES / service / "handler.py").read_text("utf-8")
    (node,) = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef) and each.name == function)
    return ast.unparse(node)


@pytest.mark.parametrize("function", ["_text", "_advice", "_is_unicode"])
def test_a_function_that_every_handler_repeats_is_the_same_in_each(function: str) -> None:
    first, *others = (source_of(service, function) for service in ("serialize", "classify", "filter"))
    assert all(other == first for other in others)
