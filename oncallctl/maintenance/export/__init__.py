"""What runs `maintenance apply` every minute, written for cron, systemd or Kubernetes."""

from oncallctl.maintenance.export.crontab import crontab
from oncallctl.maintenance.export.job import Job, program
from oncallctl.maintenance.export.kubernetes import manifests
from oncallctl.maintenance.export.systemd import units

__all__ = ["Job", "crontab", "manifests", "program", "units"]
