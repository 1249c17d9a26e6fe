import resource
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from training.vehicle_net.memory import keep_freed_memory
keep_freed_memory()
np.ones(1 << 25)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(1 << 25)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
ARRAY = 1 << 28
"""Bytes of each of the program's arrays."""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives large blocks back at once")
def test_freed_memory_is_used_again_without_page_faults() -> None:
    faults = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert int(faults) < ARRAY / resource.getpagesize() / 10
