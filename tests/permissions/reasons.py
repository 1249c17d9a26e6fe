"""What a comparison of calls and policies may find: patterns of actions and resources, each with its reason."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase


def not_listed(found: Iterable[str], reasons: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what no pattern matches, and the patterns that match nothing.

    What is found is an action, a resource, or both with a space between them.
    """
    matching = {name: {pattern for pattern in reasons if _matches(name.split(), pattern)} for name in found}
    used = {pattern for patterns in matching.values() for pattern in patterns}
    return sorted(name for name, patterns in matching.items() if not patterns), sorted(set(reasons) - used)


def _matches(words: Collection[str], pattern: str) -> bool:
    return any(fnmatchcase(word, pattern) for word in words)
