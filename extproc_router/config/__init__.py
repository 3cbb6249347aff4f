"""YAML text -> frozen Config; all mistakes at once, each with file, line and field."""
