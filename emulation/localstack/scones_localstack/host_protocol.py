"""What our Lambda hosts understand beyond AWS's Runtime Interface Emulator, which ignores these headers."""

REQUEST_ID_HEADER = "Lambda-Runtime-Aws-Request-Id"
"""The invocation's request ID; without it the host makes one."""
LOG_HEADER = "Scones-Log"
"""``append`` asks for the function's log behind the payload."""
LOG_LENGTH_HEADER = "Scones-Log-Length"
"""How many bytes at the end of the response body are the log."""
