"""extproc_router: an Envoy External Processing sidecar that picks the model for each LLM request."""

__version__ = "0.1.0"
