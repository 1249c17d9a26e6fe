"""What holds for all tests."""

import functools
import importlib.util
import signal

import botocore.loaders

# A shell starts its background jobs with SIGINT ignored, and whatever they start inherits that; the tests of Ctrl-C
# need it as a terminal gives it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The models of AWS's services are read once, not by each session.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)

# The environment `moto` alone has what these import.
collect_ignore = [] if importlib.util.find_spec("moto") else ["moto"]
