"""What the endpoint saw: captured inferences, evaluation, drift, plots, the report."""
