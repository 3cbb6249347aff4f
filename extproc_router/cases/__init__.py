"""Decision tables: what users expect of their own config, checked case by case."""
