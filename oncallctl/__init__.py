"""On-call operations on Grafana OnCall and Grafana Cloud IRM, from a terminal, a script or cron."""

__version__ = "0.1.0"
