"""What `bench.batch` is made of: a stack to measure on, batches, outages, payloads, and the page of figures."""
