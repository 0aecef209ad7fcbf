"""The guardian: a small process that outlives the driver by moments, to end what the driver left behind.

A driver that is killed can clean nothing up, and a worker of Ray's that was just starting then waits a minute for its
raylet. All processes of a Ray that we started carry a mark in their environment, or log into its folder. The guardian
holds the reading end of a pipe; when the driver closes the other end, by dying or in good order, it gives Ray's own
clean-up a moment, kills all that is left, and removes the folder.

It runs as a script, without anything imported from here, so that it starts in milliseconds.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

MARK = "SPLITBRAIN_RAY"
FAREWELL = b"all in order"
GRACE_S = 1.0
PATIENCE_S = 8.0
LOOK_EVERY_S = 0.1


def set_guardian(mark: str, folder: str) -> "subprocess.Popen[bytes]":
    """Start a guardian of the processes with this mark. It acts when its `stdin` is closed, and ends by itself."""
    return subprocess.Popen(
        [sys.executable, "-ISE", __file__, mark, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt at the terminal is not for it
        cwd="/",
    )


def dismiss(guardian: "subprocess.Popen[bytes]") -> None:
    """Let the guardian clean up what may be left, after all has ended in order, and wait for it."""
    guardian.communicate(FAREWELL)


def processes_of(mark: str, folder: str) -> list[int]:
    """The numbers of the live processes that carry this mark or hold a file of this folder open."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdecimal() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                marked = wanted in file.read().split(b"\0")
            # Some of Ray's processes write their title over their environment; all hold a file of the folder open.
            if marked or _holds_a_file_of(folder, f"/proc/{name}/fd"):
                found.append(int(name))
        except OSError:
            continue  # it has ended, is somebody else's, or only waits to be reaped
    return found


def _holds_a_file_of(folder: str, descriptors: str) -> bool:
    for descriptor in os.listdir(descriptors):
        try:
            if os.readlink(f"{descriptors}/{descriptor}").startswith(f"{folder}/"):
                return True
        except OSError:
            continue  # it was closed meanwhile
    return False


def main() -> None:
    """Wait for the end of standard input, then clean up."""
    mark, folder = sys.argv[1:]
    driver = os.getppid()  # it logs into the folder too, and is not to be killed
    in_order = sys.stdin.buffer.read() == FAREWELL
    began_s = time.monotonic()
    while (age_s := time.monotonic() - began_s) < PATIENCE_S:
        left = [pid for pid in processes_of(mark, folder) if pid != driver]
        if not left and (in_order or age_s > GRACE_S):
            break  # a driver that was killed may have been starting one more, which shows only after a moment
        for pid in left if age_s > GRACE_S else ():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(LOOK_EVERY_S)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
