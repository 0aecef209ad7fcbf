"""The command as tests call it: in this process, or in one of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from experiments.cli import cli

ROOT = Path(__file__).resolve().parents[2]

SMALL = """\
name: small
description: One crash.
cluster: {nodes: 3}
system: raft
workload: {register: {rate: 50/s, clients: 3, timeout: 500ms}}
duration: 3s
warm_up: 1s
chaos: [{at: 1s, crash: {nodes: random}, for: 1s}]
check: [linearizable]
expect: [availability >= 1%]
"""
LONG = SMALL.replace("3s", "3000s").replace("rate: 50/s", "rate: 200/s").replace("name: small", "name: endless")
"""It would take minutes, so that it can be interrupted."""


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which must be one JSON document in ASCII."""
        assert self.out.isascii()
        return json.loads(self.out)


def splitbrain(*args: object, store: Path | None = None) -> Said:
    """Call the command in this process. An error that isn't the command's answer is raised."""
    env = {"SPLITBRAIN_STORE": str(store)} if store else {}
    result = CliRunner().invoke(cli, [str(arg) for arg in args], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def start(*args: object, store: Path, **env: str) -> "subprocess.Popen[str]":
    """Start the command in a process and a group of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "splitbrain.py"), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SPLITBRAIN_STORE": str(store), **env},
        start_new_session=True,
    )


def ended(process: "subprocess.Popen[str]", timeout_s: float = 120) -> Said:
    out, err = process.communicate(timeout=timeout_s)
    return Said(process.returncode, out, err)


def write(folder: Path, text: str = SMALL, name: str = "small.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path
