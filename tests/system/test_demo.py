"""`make demo` runs on the sandbox and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

from tests.places import ROOT


def test_demo_shows_the_main_jobs_and_leaves_no_files(world: Path) -> None:
    program = Path(sys.executable).with_name("oncallctl")
    done = subprocess.run([ROOT / "tools" / "demo", program], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("$ ")] == [
        "$ oncallctl who platform",
        "$ oncallctl teams rota platform --days 2",
        '$ oncallctl page --team platform --title "db down" --yes',
        "$ oncallctl maintenance start checkout --for 30m",
        "$ oncallctl maintenance status",
        "$ oncallctl maintenance stop checkout",
    ]
    assert "note: sandbox: nobody was paged" in done.stderr
    assert done.stdout.splitlines()[-3:] == [
        f"  {program} --profile sandbox alert-groups list",
        f"  {program} --profile sandbox maintenance start --team platform --for 1h --dry-run",
        f"  {program} --help",
    ]
    assert list((world / "home").iterdir()) == []
