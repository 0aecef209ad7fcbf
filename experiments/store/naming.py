"""How a RUN and a GROUP are named: a folder, an id, a unique prefix, `@last`, `@last~1`, `@last-group`."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from experiments.store.folder import PLAN, StoredRun, StoreError, folders, open_run, runs

SHOWN = 5  # names in an error
T = TypeVar("T")


def find_run(store: Path, name: str) -> StoredRun:
    """The run that a name stands for.

    Raises: StoreError if there is none or more than one, with the names that come near.
    """
    given = Path(name)
    given = given.parent if given.name == PLAN else given
    if os.path.isfile(given / PLAN):
        return open_run(given)
    if name.startswith("@"):
        return _last(store, name)
    paths = folders(store)
    exact = [path for path in paths if name in (path.name, _id(path))]
    found = exact or [path for path in paths if name and (path.name.startswith(name) or _id(path).startswith(name))]
    if len(found) == 1:
        return open_run(found[0])
    if found:
        raise StoreError(f"{name!r} names {len(found)} runs: {_some(path.name for path in reversed(found))}")
    raise _unknown(name, [spelling for path in paths for spelling in (path.name, _id(path))], store)


def find_group(store: Path, name: str) -> list[StoredRun]:
    """The runs of a group, in the order in which they ran. A run's name stands for that run alone.

    Raises: StoreError if the name stands for neither, or for more than one.
    """
    known = runs(store)
    groups = list(dict.fromkeys(run.origin.group for run in known))
    back = re.fullmatch(r"@last-group(?:~(\d{1,9}))?", name)
    if back:
        name = _back(groups, int(back[1] or 0), store=store, kind="group", describe=str)
    found = [name] if name in groups else [group for group in groups if name and group.startswith(name)]
    if len(found) == 1:
        return [run for run in known if run.origin.group == found[0]]
    if found:
        raise StoreError(f"{name!r} names {len(found)} groups: {_some(reversed(found))}")
    return [find_run(store, name)]


def _last(store: Path, name: str) -> StoredRun:
    """`@last`, `@last~N`, and `@last-group` where that is a single run."""
    if name.startswith("@last-group"):
        group = find_group(store, name)
        if len(group) > 1:
            raise StoreError(f"{name} names a group of {len(group)} runs: {_some(run.path.name for run in group)}")
        return group[0]
    back = re.fullmatch(r"@last(?:~(\d{1,9}))?", name)
    if back is None:
        raise StoreError(f"{name!r} names no run; write @last, @last~1, @last~2, ... or @last-group")
    return _back(runs(store), int(back[1] or 0), store=store, kind="run", describe=lambda run: run.path.name)


def _back(known: Sequence[T], steps: int, *, store: Path, kind: str, describe: Callable[[T], str]) -> T:
    """The last but `steps` of what is known."""
    if not known:
        raise StoreError(f"there is no {kind} in {store} yet; `splitbrain run FILE` makes one")
    if steps >= len(known):
        raise StoreError(f"{store} holds {len(known)} {kind}(s); the first of them is {describe(known[0])}")
    return known[-1 - steps]


def _unknown(name: str, known: Iterable[str], store: Path) -> StoreError:
    near = get_close_matches(name, list(known), n=SHOWN, cutoff=0.5)
    hint = f"; near: {', '.join(near)}" if near else "; `splitbrain list` shows what there is"
    return StoreError(f"{name!r} names no run in {store}{hint}")


def _some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _id(path: Path) -> str:
    """The short id at the end of a folder's name."""
    return path.name.rpartition("-")[2]
