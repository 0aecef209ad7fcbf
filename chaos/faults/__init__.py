"""The faults that a schedule can name. To add one: its file here, and its line in FAULTS."""

from chaos.fault import Fault
from chaos.faults import crash, delay, duplicate, loss, partition, pause, slow_fsync

FAULTS: dict[str, type[Fault]] = {
    "crash": crash.Crash,
    "delay": delay.Delay,
    "duplicate": duplicate.Duplicate,
    "loss": loss.Loss,
    "partition": partition.Partition,
    "pause": pause.Pause,
    "slow_fsync": slow_fsync.SlowFsync,
}
