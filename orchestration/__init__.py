"""The state machine, the stack that holds it, and its executions."""
