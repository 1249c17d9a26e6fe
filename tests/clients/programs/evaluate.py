"""Evaluates expressions with a client library: standard input has the imports and the expressions, as JSON.

Prints, as JSON, each expression's value or error. Runs in the library's own environment.
"""

import json
import sys


def evaluated(expression: str, names: dict[str, object]) -> str:
    try:
        return repr(eval(expression, names))  # noqa: S307 - the tests' own expressions
    except Exception as error:  # noqa: BLE001
        return f"FAILED {type(error).__name__}: {error}"


request = json.load(sys.stdin)
namespace: dict[str, object] = dict(request["names"])
exec(request["setup"], namespace)  # noqa: S102
print(json.dumps([evaluated(expression, namespace) for expression in request["expressions"]]))
