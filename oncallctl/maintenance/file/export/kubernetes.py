"""Manifests for Kubernetes: a ConfigMap with the file and the profile, and a CronJob."""

from __future__ import annotations

import re

from oncallctl.config.profiles import Profile
from oncallctl.errors import InvalidInput
from oncallctl.maintenance.file.export.job import WRITTEN, Job, plain

USER = 10001  # as in the Dockerfile
LARGEST = 1_000_000  # bytes; an object may have 1 MiB
SECRETS = "/run/secrets/oncallctl"
CONFIG = "/etc/oncallctl"
STATE = "/var/lib/oncallctl"

_PLAIN_LINE = re.compile(
    r"[ -~\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\ud7ff\uf900-\ufdcf\U00010000-\U0001fffd]*"
)


def manifests(job: Job, profile: Profile, image: str) -> dict[str, str]:
    """Return a ConfigMap and a CronJob, by file name.

    Args:
        job: the job.
        profile: its profile. The token is not written; a Secret contains it.
        image: an image with this program as its entry point.

    Raises:
        InvalidInput: a text cannot be written in an object.
    """
    if len(job.text.encode()) > LARGEST:
        raise InvalidInput(f"{job.file} is too large for a ConfigMap", hint="split it into several files")
    secret = f"{job.name}-token"
    arguments = "\n".join(f"                - {_string(each)}" for each in job.arguments_for(f"{CONFIG}/windows.toml"))
    text = f"""\
{WRITTEN}: the windows of {plain(str(job.file), "the path")},
# on {plain(job.place, "the profile")}. The token is not in this file. Store it in its Secret once:
#   kubectl create secret generic {secret} --from-file=token=FILE
# After a change of the file, export and apply it again.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {job.name}
  labels:
    app.kubernetes.io/name: oncallctl
data:
  config.toml: {_text(job.config(profile, "$CREDENTIALS_DIRECTORY/token"), 4)}
  windows.toml: {_text(job.text, 4)}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {job.name}
  labels:
    app.kubernetes.io/name: oncallctl
spec:
  schedule: "* * * * *"
  timeZone: Etc/UTC  # the file names its own time zones
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 50
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 0  # the job runs again after a minute
      activeDeadlineSeconds: 900
      template:
        metadata:
          labels:
            app.kubernetes.io/name: oncallctl
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: {USER}
            runAsGroup: {USER}
            fsGroup: {USER}  # lets this user read the token, which belongs to root
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: oncallctl
              image: {_string(image)}
              args:
{arguments}
              env:
                - name: ONCALLCTL_CONFIG
                  value: {CONFIG}/config.toml
                - name: CREDENTIALS_DIRECTORY
                  value: {SECRETS}
                - name: XDG_STATE_HOME
                  value: {STATE}
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop:
                    - ALL
              resources:
                requests:
                  cpu: 50m
                  memory: 64Mi
                limits:
                  memory: 256Mi
              volumeMounts:
                - name: config
                  mountPath: {CONFIG}
                  readOnly: true
                - name: token
                  mountPath: {SECRETS}
                  readOnly: true
                - name: state
                  mountPath: {STATE}
          volumes:
            - name: config
              configMap:
                name: {job.name}
            - name: token
              secret:
                secretName: {secret}
                defaultMode: 0400
            # An emptyDir is deleted with its pod and keeps no journal: `maintenance history` is empty, and a window
            # that somebody stops by hand is started again a minute later. Use a persistentVolumeClaim to keep it.
            - name: state
              emptyDir:
                sizeLimit: 16Mi
"""
    return {f"{job.name}.yaml": text}


def _string(text: str) -> str:
    """Return a YAML string on one line, quoted so that it has no other type."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    if _PLAIN_LINE.fullmatch(character):
        return character
    return {"\n": "\\n", "\t": "\\t"}.get(character, f"\\U{ord(character):08x}")


def _text(text: str, indent: int) -> str:
    """Return a text of several lines, unescaped if YAML allows it."""
    lines = text.split("\n")
    if lines[-1] or not lines[0] or not all(_PLAIN_LINE.fullmatch(line) for line in lines):
        return _string(text)
    if not text.strip() or text.endswith("\n\n"):
        return _string(text)
    return "|2\n" + "\n".join(f"{' ' * indent}{line}" if line else "" for line in lines[:-1])
