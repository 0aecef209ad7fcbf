"""The digest of the first run of every variant of experiment files: `python catalogue_digests.py FILE...`."""

import sys
from pathlib import Path

from determinism.random_plans import digest_of

from experiments.spec import load_spec
from experiments.unfold import unfold


def main(paths: list[str]) -> None:
    for path in paths:
        spec = load_spec(Path(path))
        seed = spec.points[0].file.seed[0]
        for place, plan in enumerate(plan for plan in unfold(spec, fabric="sim") if plan.seed == seed):
            print(Path(path).stem, place, digest_of(plan), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
