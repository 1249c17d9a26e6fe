"""The offline AWS as plain child processes, without Docker: its components, their life, and where their state lies."""
