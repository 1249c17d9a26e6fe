"""Inputs that nobody would send on purpose, sent on purpose: to handlers, readers, the emulator and the command."""
