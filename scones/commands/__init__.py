"""One module a command, named after it; a folder is a group of commands."""
