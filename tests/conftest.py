"""What holds for all tests."""

import signal

# A shell starts its background jobs with SIGINT ignored, and whatever they start inherits that; the tests of Ctrl-C
# need it as a terminal gives it.
signal.signal(signal.SIGINT, signal.default_int_handler)
