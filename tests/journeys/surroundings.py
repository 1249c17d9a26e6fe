"""Surroundings in which commands run on other people's machines, as environment variables."""

DEAD_PROXY = "http://127.0.0.1:9"
NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
LOCALE_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN_1_TERMINAL = {"PYTHONIOENCODING": "latin-1"}
NO_HOME = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache"}
NO_PROFILE = {"AWS_PROFILE": "nowhere", "AWS_CONFIG_FILE": "/dev/null/config"}
DUMB_TERMINAL = {"TERM": "dumb", "COLUMNS": "40"}
ACCENTED_FOLDER = "Bücher & Fotos"


def proxied(url: str) -> dict[str, str]:
    """Name a proxy for every protocol, as companies' images do."""
    return {name: url for base in ("http_proxy", "https_proxy", "all_proxy") for name in (base, base.upper())}


ALL_AT_ONCE = {**proxied(DEAD_PROXY), **NOTEBOOK, **LOCALE_C, **NO_HOME, **NO_PROFILE, **DUMB_TERMINAL}
