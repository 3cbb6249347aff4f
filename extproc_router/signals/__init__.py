"""Request (+ Encoding) -> Signal; one file per signal."""
