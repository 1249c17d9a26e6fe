"""Endpoints in service: model artifacts, model servers, variants, and InvokeEndpoint."""
