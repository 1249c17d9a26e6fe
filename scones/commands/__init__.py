"""The commands: one module each, named after it; a folder is a group of commands.

`scones/cli.py` lists them. The modules of `scones/` do the work; they can be called without the command line.
"""
