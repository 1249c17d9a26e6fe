"""Parses the template and the state machines."""

from collections.abc import Iterator
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Parses CloudFormation's short forms of intrinsic functions into dictionaries."""


def _short_form(loader: Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {tag: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", _short_form)


def load(text: str) -> dict[str, Any]:
    """Parse a template."""
    template: dict[str, Any] = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    return template


def machines(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a state machine and those inside its Maps."""
    yield node
    for state in node["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def following(state: dict[str, Any]) -> set[str]:
    """Return the names of the states that can follow a state."""
    transitions = [*state.get("Catch", []), *state.get("Choices", []), state]
    return {name for transition in transitions for name in (transition.get("Next"), transition.get("Default")) if name}
