"""`make bench`: measures performance, and compares each figure with its limit.

hyperfine measures medians on an otherwise idle machine. Most limits are ratios, because milliseconds depend on the
machine. The exit status is 1 if a limit is exceeded.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = sys.executable
PROGRAM = Path(PYTHON).with_name("oncallctl")
STARTS, TARGETS = 200, 1000


@dataclass(frozen=True)
class Figure:
    """A line of the table."""

    what: str
    measured: str
    limit: str
    holds: bool

    def __str__(self) -> str:
        return f"| {self.what} | {self.measured} | {self.limit} | {'' if self.holds else '**exceeded**'} |"


def ratio(what: str, took: float, reference: float, limit: float, than: str) -> Figure:
    measured = f"{took / reference:.2f} × ({took * 1000:.0f} ms)"
    return Figure(what, measured, f"{limit} × {than} ({reference * 1000:.0f} ms)", took <= limit * reference)


def medians(*commands: str, runs: int = 20, environment: dict[str, str]) -> list[float]:
    """Return the median time of each command in seconds, measured by hyperfine."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        words = [
            "hyperfine",
            "--shell=none",
            "--warmup=3",
            f"--runs={runs}",
            "--style=none",
            "--export-json",
            file.name,
        ]
        subprocess.run([*words, *commands], check=True, env=environment, stdout=subprocess.DEVNULL)
        return [each["median"] for each in json.loads(Path(file.name).read_text())["results"]]


@contextlib.contextmanager
def served(*options: str) -> Iterator[str]:
    """Start `server.py`, and yield its URL."""
    with subprocess.Popen(
        [PYTHON, HERE / "server.py", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        yield server.stdout.readline().strip()
        server.stdin.close()


def starting(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure the start of the program."""
    nothing, version, text, leaf = medians(
        f"{PYTHON} -c pass",
        f"{PROGRAM} --version",
        f"{PROGRAM} --help",
        f"{PROGRAM} maintenance start --help",
        environment=environment,
    )
    yield ratio("`--version`", version, nothing, 7, "`python -c pass`")
    yield ratio("`--help`", text, nothing, 7, "`python -c pass`")
    yield ratio("`maintenance start --help`", leaf, nothing, 8, "`python -c pass`")


def reading(url: str, environment: dict[str, str]) -> Iterator[Figure]:
    """Measure a list of teams over loopback."""
    script, as_json, as_table = medians(
        f"{PYTHON} {HERE / 'reference.py'} teams {url}",
        f"{PROGRAM} teams list -o json",
        f"{PROGRAM} teams list",
        environment=environment,
    )
    yield ratio("`teams list -o json`", as_json, script, 1.7, "ten lines of httpx")
    yield ratio("`teams list`", as_table, script, 1.8, "ten lines of httpx")


def much(url: str, environment: dict[str, str]) -> Iterator[Figure]:
    """Measure many result pages and many changes."""
    eight, program = medians(
        f"{PYTHON} {HERE / 'reference.py'} pages {url}",
        f"{PROGRAM} integrations list -o jsonl",
        runs=7,
        environment=environment,
    )
    yield ratio("5,000 integrations, 20 ms a page of 50", program, eight, 1.3, "eight requests at a time")
    yield from first_line(url, environment)
    eight, program = medians(
        f"{PYTHON} {HERE / 'reference.py'} starts {url}",
        f"{PROGRAM} maintenance start {' '.join(idents())} --for 1h --yes --quiet",
        runs=7,
        environment=environment,
    )
    yield ratio(f"{STARTS} maintenance starts, 50 ms each", program, eight, 1.3, "eight requests at a time")


def idents() -> list[str]:
    """Return the IDs of the integrations to start."""
    sys.path.insert(0, str(HERE))
    from server import ident

    return [ident(number) for number in range(STARTS)]


def first_line(url: str, environment: dict[str, str]) -> Iterator[Figure]:
    """Measure the time of the first line and the memory for all of them."""
    with subprocess.Popen(
        [PROGRAM, "integrations", "list", "-o", "jsonl"], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout
        process.stdout.readline()
        first = time.time()
        count = 1 + sum(1 for _ in process.stdout)
    served_at = json.load(urllib.request.urlopen(f"{url}/api/v1/served/"))
    before = served_at["last_page_at"] - first
    yield Figure("first `jsonl` line of 5,000", f"{before * 1000:.0f} ms before the last page", "before it", before > 0)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Figure(f"memory for {count:,} integrations", f"{peak:.0f} MB", "120 MB", peak < 120 and count == 5000)


def limited(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure changes of more targets than the rate limit allows in a minute."""
    with served(str(TARGETS), "300") as url:
        begin = time.monotonic()
        done = subprocess.run(
            [PROGRAM, "maintenance", "start", "--all", "--for", "1h", "--yes", "-o", "json"],
            env={**environment, "ONCALLCTL_URL": url, "ONCALLCTL_TOKEN": "token", "ONCALLCTL_API": "cloud"},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - begin
        answered = json.load(urllib.request.urlopen(f"{url}/api/v1/served/"))
    started = sum(each["status"] == "started" for each in json.loads(done.stdout or "[]"))
    waits = done.stderr.count("rate limited, ")
    holds = done.returncode == 0 and started == answered["starts"] == TARGETS and waits > 0
    measured = f"{started:,} started once each in {took:.0f} s, {waits} waits reported"
    yield Figure(f"{TARGETS:,} starts at 300 requests a minute", measured, "no failure, waits reported", holds)


def completing(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure TAB in bash without loading the script. Names are completed by a call of the program."""
    script = ROOT / "completions" / "oncallctl.bash"
    environment = {**environment, "PATH": f"{PROGRAM.parent}:{environment['PATH']}"}
    loaded = f"source {script}"
    home = Path(environment["HOME"])
    for what, limit, words in (
        ("TAB for a verb", 30, ("oncallctl", "maintenance", "st")),
        ("TAB for an option", 30, ("oncallctl", "maintenance", "start", "--")),
        ("TAB for a name of 5,000", 150, ("oncallctl", "maintenance", "start", "service\\ 49")),
    ):
        pressed = (
            f"COMP_LINE='{' '.join(words)}'; COMP_POINT=${{#COMP_LINE}};"
            f" COMP_WORDS=({' '.join(map(shlex.quote, words))});"
            " COMP_CWORD=$((${#COMP_WORDS[@]}-1)); compopt() { :; };"
            ' _oncallctl oncallctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; ((${#COMPREPLY[@]}))'
        )
        (home / "load.sh").write_text(f"{loaded}\n")
        (home / "press.sh").write_text(f"{loaded}\n{pressed}\n")
        before, after = medians(f"bash {home / 'load.sh'}", f"bash {home / 'press.sh'}", environment=environment)
        took = (after - before) * 1000
        yield Figure(what, f"{took:.0f} ms", f"{limit} ms", took < limit)


def import_times(environment: dict[str, str]) -> dict[str, float]:
    """Return the milliseconds that importing takes in `teams list -o json`, by top-level package, the largest first."""
    command = [PYTHON, "-X", "importtime", PROGRAM, "teams", "list", "-o", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    packages: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|") if line.count("|") == 2 else ("", "", "")
        if own.strip().isdigit():
            packages[name.strip().partition(".")[0]] += int(own)
    return {name: microseconds / 1000 for name, microseconds in packages.most_common(12)}


def main() -> int:
    """Measure everything, and print the table."""
    if not shutil.which("hyperfine"):
        print("make bench needs hyperfine (Debian: apt-get install hyperfine)", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as home, served() as url:
        environment = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        figures += starting(environment)
        profile = Path(home, ".config/oncallctl")
        profile.mkdir(parents=True, mode=0o700)
        Path(home, "token").write_text("token")
        Path(home, "token").chmod(0o600)
        config = profile / "config.toml"
        config.write_text(
            f'default_profile = "bench"\n[profiles.bench]\nurl = "{url}"\napi = "cloud"\ntoken_file = "{home}/token"\n'
        )
        config.chmod(0o600)
        figures += reading(url, environment)
        imports = import_times(environment)
        figures += much(url, environment)
        figures += completing(environment)
        figures += limited(environment)
    print("| what | measured | at most | |\n|---|---|---|---|")
    print(*figures, sep="\n")
    print("\nimports of `teams list -o json`:", ", ".join(f"{name} {took:.0f} ms" for name, took in imports.items()))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
