"""What a simulated model server does: how it behaves, what it answers, and how it fails."""
