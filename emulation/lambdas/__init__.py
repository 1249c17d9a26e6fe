"""A Lambda function without Docker: what AWS's Runtime Interface Emulator and Python runtime do, in two processes."""
