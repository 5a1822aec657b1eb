"""The daemon: wires jobs to the scheduler."""

from monitor.daemon.daemon import SWEEP_HOUR, Daemon

__all__ = ["SWEEP_HOUR", "Daemon"]
