"""The control plane: operations on models, endpoint configurations, endpoints, training jobs, tags and schedules."""
