"""Spoilt files through the real load: no crash, no hang, bounded memory, rows that add up."""
