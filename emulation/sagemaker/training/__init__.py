"""Training jobs: their files, the program they run, its log and its metrics."""
