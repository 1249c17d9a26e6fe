"""The state machines' definitions: what several of them share is written once and set in when the template is rendered.

Two words of ours, both gone from what is rendered: an object with ``"...": file`` takes the members of the object in
that file beside its own, which win; ``"...suffix": text`` beside it ends the name of every state in it with that text,
since no two states of one machine may share a name (https://states-language.net/spec.html#states).
"""

import json
import re
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("template.yaml")
MAX_TEMPLATE_BYTES = 51_200
_SHARED, _SUFFIX = "...", "...suffix"
_REFERENCES = frozenset({"StartAt", "Next", "Default"})


def definition(file: Path) -> dict[str, Any]:
    """Return a definition in plain Amazon States Language, with CloudFormation's substitutions still in it."""
    whole: dict[str, Any] = _expanded(json.loads(file.read_text("utf-8")), file.parent)
    return whole


def template_body(template: Path = TEMPLATE) -> str:
    """Return the template with each state machine's definition set in place of its file's name.

    ``DefinitionS3Location: file`` in the template names the file; set in as a string, the definition needs no bucket
    before the stack that makes the bucket. A request takes MAX_TEMPLATE_BYTES
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html), so the comments of both
    stay behind, and all white space that YAML and the dashboard's JSON can do without.
    """

    def inline(found: re.Match[str]) -> str:
        whole = definition(template.parent / found["file"])
        return f"{found['indent']}DefinitionString: {_quoted(_uncommented(whole))}"

    def packed(found: re.Match[str]) -> str:
        return f"{found['key']}{_quoted(json.loads(found['json']))}\n"

    pattern = r"^(?P<indent> +)DefinitionS3Location: (?P<file>\S+)$"
    body = re.sub(pattern, inline, template.read_text("utf-8"), flags=re.MULTILINE)
    body = re.sub(r"(?P<key>DashboardBody: !Sub )\|\n(?P<json>(?: {8,}.*\n)+)", packed, body)
    return _narrowed(re.sub(r"^ *(?:#.*)?\n", "", body, flags=re.MULTILINE))


def _quoted(value: Any) -> str:
    """Return JSON without a space too many, as a YAML string."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return f"'{text.replace(chr(39), chr(39) * 2)}'"


def _narrowed(text: str) -> str:
    """Return YAML with each level one space further in than the one around it."""
    levels, lines = [(0, 0)], []
    for line in text.splitlines():
        content = line.lstrip(" ")
        column = len(line) - len(content)
        while levels[-1][0] > column:
            levels.pop()
        if levels[-1][0] < column:
            levels.append((column, levels[-1][1] + 1))
        lines.append(" " * levels[-1][1] + content + "\n")
        if content.startswith("- "):  # what follows in this item lines up with what stands behind its dash
            levels.append((column + 2, levels[-1][1] + 2))
    return "".join(lines)


def _uncommented(node: Any) -> Any:
    if isinstance(node, list):
        return [_uncommented(item) for item in node]
    if isinstance(node, dict):
        return {key: _uncommented(value) for key, value in node.items() if key != "Comment"}
    return node


def _expanded(node: Any, folder: Path) -> Any:
    if isinstance(node, list):
        return [_expanded(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: _expanded(value, folder) for key, value in node.items() if key not in {_SHARED, _SUFFIX}}
    if _SHARED not in node:
        return own
    shared = _expanded(json.loads((folder / node[_SHARED]).read_text("utf-8")), folder)
    return _renamed(shared | own, node.get(_SUFFIX, ""))


def _renamed(node: Any, suffix: str) -> Any:
    """Return a machine, or a part of one, with ``suffix`` at the end of every state's name and every mention of it."""
    if not suffix:
        return node
    if isinstance(node, list):
        return [_renamed(item, suffix) for item in node]
    if not isinstance(node, dict):
        return node
    renamed: dict[str, Any] = {
        key: value + suffix if key in _REFERENCES and isinstance(value, str) else _renamed(value, suffix)
        for key, value in node.items()
    }
    if isinstance(node.get("States"), dict):
        renamed["States"] = {f"{name}{suffix}": state for name, state in renamed["States"].items()}
    return renamed
