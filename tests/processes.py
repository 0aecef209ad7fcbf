"""Processes and their sockets, as Linux tells of them under /proc."""

from collections.abc import Iterable
from pathlib import Path

LISTENING = "0A"


def processes_marked(mark: str) -> dict[int, str]:
    """The live processes in whose environment a mark stands: number -> command line."""
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark.encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it ended meanwhile
    return found


def listening_addresses(pids: Iterable[int]) -> set[tuple[str, int]]:
    """The TCP addresses that these processes listen on; those of IPv6 as their hexadecimal digits."""
    sockets = {socket for pid in pids for socket in _sockets(pid)}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            (
                _,
                local,
                _,
                state,
                *_,
            ) = line.split()
            if state == LISTENING and line.split()[9] in sockets:
                address, _, port = local.partition(":")
                found.add((_text(address), int(port, 16)))
    return found


def _text(address: str) -> str:
    """An address of /proc/net/tcp: the host's byte order in hexadecimal digits."""
    if len(address) == 8:
        return ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
    if address == "0000000000000000FFFF00000100007F":  # 127.0.0.1 on a socket of both families
        return "127.0.0.1"
    return address


def _sockets(pid: int) -> Iterable[str]:
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = descriptor.readlink().name
            if target.startswith("socket:["):
                yield target[len("socket:[") : -1]
    except OSError:
        return
