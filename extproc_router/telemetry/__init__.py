"""Sinks that take frozen records: metrics, the decision log, traces. None of them sees prompt text."""
