"""Latency profiles: round trips between regions, read from data files, and the delay tables made of them.

A one-way trip is base + gamma(shape 2): half the profile's round trip at its median, with the profile's jitter as
standard deviation. Equal halves are an assumption: published round trips can't show the two directions apart.
Once in a while a trip takes longer by a spike, whose sizes have a heavy tail (Pareto, index 2). And a route between two
regions may take a detour for a minute, in one direction, which makes all its trips longer.
"""

from functools import cache
from pathlib import Path
from random import Random

import msgspec
import yaml

PROFILES = Path(__file__).with_name("profiles")
GAMMA2_MEDIAN = 1.67834699  # of a gamma variable with shape 2 and scale 1
GAMMA2_DEVIATION = 1.41421356  # its standard deviation, sqrt 2
TABLE_SIZE = 4096  # delays in a table, and the parts in which the share of spikes counts


class UnknownProfile(LookupError):
    """No latency profile has this name."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips in ms between regions, with their source; directed, from row to column."""

    name: str
    description: str
    source: str
    date: str
    statistic: str  # what rtt_ms is: p50, p95, mean
    inside_region_rtt_ms: float
    jitter_ms: float  # standard deviation of a one-way trip between regions
    jitter_inside_region_ms: float
    spike_share: float = 0.0  # of the messages, rounded to 4096ths
    spike_ms: float = 0.0  # the least spike between regions; half of them are above 1.4 times it, 1% above 10 times
    spike_inside_region_ms: float = 0.0
    detour_share: float = 0.0  # of the minutes of each route between regions: packets go another way
    detour_stretch: float = 0.0  # by up to this share of the round trip
    regions: tuple[str, ...]
    rtt_ms: dict[str, dict[str, float]] = {}

    def trip(self, source: str, target: str, inside_region_rtt_ns: int | None = None) -> "Trip":
        """The distribution of one-way trips from a region to a region. Raises KeyError for a pair not measured."""
        if source == target:
            rtt_ns = round(self.inside_region_rtt_ms * 1e6) if inside_region_rtt_ns is None else inside_region_rtt_ns
            deviation_ms, spike_ms = self.jitter_inside_region_ms, self.spike_inside_region_ms
        else:
            rtt_ns = round(self.rtt_ms[source][target] * 1e6)
            deviation_ms, spike_ms = self.jitter_ms, self.spike_ms
        scale_ns = int(deviation_ms * 1e6 / GAMMA2_DEVIATION)
        scale_ns = min(scale_ns, int(rtt_ns / 2 / GAMMA2_MEDIAN))  # no trip is shorter than nothing
        return Trip(
            base_ns=rtt_ns // 2 - int(scale_ns * GAMMA2_MEDIAN),
            scale_ns=scale_ns,
            spikes_from=TABLE_SIZE - round(self.spike_share * TABLE_SIZE) << 52,
            spike_ns=round(spike_ms * 1e6),
        )

    def detour_ns(self, source: str, target: str, draw: Random) -> int:
        """By how much a route's trips are longer during one minute; two numbers are drawn, whatever comes of it."""
        taken, stretch = draw.random() < self.detour_share, draw.random() * self.detour_stretch
        return int(self.rtt_ms[source][target] * 1e6 * stretch) if taken and source != target else 0


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One-way trips: base_ns plus a gamma variable with shape 2 and this scale, and now and then a spike."""

    base_ns: int
    scale_ns: int
    spikes_from: int = 1 << 64  # a draw of 64 bits from here on means a spike
    spike_ns: int = 0  # the least spike

    def table(self) -> tuple[int, ...]:
        """4,096 delays in ns; one drawn evenly has this distribution."""
        return _delays(self.base_ns, self.scale_ns)


@cache
def _delays(base_ns: int, scale_ns: int) -> tuple[int, ...]:
    return tuple(base_ns + quantile * scale_ns // 1_000_000 for quantile in _gamma2_quantiles())


@cache
def _gamma2_quantiles() -> tuple[int, ...]:
    """Shipped as data, for a logarithm's last bit differs between machines."""
    lines = (PROFILES / "gamma2_quantiles.txt").read_text().split("\n")
    quantiles = tuple(int(line) for line in lines if line and not line.startswith("#"))
    assert len(quantiles) == TABLE_SIZE
    return quantiles


def profile_of(latency: str | Profile) -> Profile:
    """The profile of this name, or the one given. Raises UnknownProfile."""
    return load_profile(latency) if isinstance(latency, str) else latency


def profile_names() -> list[str]:
    """The names of all profiles that come with splitbrain."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


@cache
def load_profile(name: str) -> Profile:
    """Read a profile. Raises UnknownProfile."""
    if name not in profile_names():
        raise UnknownProfile(f"no latency profile {name!r}; there are {', '.join(profile_names())}")
    data = yaml.load((PROFILES / f"{name}.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return msgspec.convert({**data, "date": str(data["date"])}, Profile, strict=False)
