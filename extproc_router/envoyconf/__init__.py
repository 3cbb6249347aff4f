"""Whether an envoy.yaml and a router config fit each other."""
