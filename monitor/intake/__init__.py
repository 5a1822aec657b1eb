"""Bytes to raw rows to results or quarantine: what comes into the monitor, and only that."""
