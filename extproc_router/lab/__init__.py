"""The lab: real Envoy, simulated model servers, the demo and the benchmark. For the repository, not for production."""
