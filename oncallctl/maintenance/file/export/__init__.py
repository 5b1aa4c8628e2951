"""What runs `maintenance apply` every minute, written for cron, systemd or Kubernetes."""

from oncallctl.maintenance.file.export.crontab import crontab
from oncallctl.maintenance.file.export.job import Job, program
from oncallctl.maintenance.file.export.kubernetes import manifests
from oncallctl.maintenance.file.export.systemd import units

__all__ = ["Job", "crontab", "manifests", "program", "units"]
