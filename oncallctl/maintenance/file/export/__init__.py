"""Jobs that run `maintenance apply` every minute: for cron, systemd and Kubernetes."""

from oncallctl.maintenance.file.export.crontab import crontab
from oncallctl.maintenance.file.export.job import Job, program
from oncallctl.maintenance.file.export.kubernetes import manifests
from oncallctl.maintenance.file.export.systemd import units

__all__ = ["Job", "crontab", "manifests", "program", "units"]
