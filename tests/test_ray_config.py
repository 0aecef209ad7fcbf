"""ray_config.yaml is a file that Ray's cluster launcher takes, and its regions are a profile's."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from cluster.latency import load_profile

CONFIG = Path(__file__).parents[1] / "ray_config.yaml"


@pytest.fixture(scope="module")
def config() -> dict:
    return yaml.safe_load(CONFIG.read_text())


def test_it_follows_rays_own_schema(config: dict) -> None:
    import ray.autoscaler

    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(config, schema)


def test_the_launcher_prepares_it_with_a_head_and_workers(config: dict) -> None:
    from ray.autoscaler._private.util import fillout_defaults, validate_config

    prepared = fillout_defaults(config)
    validate_config(prepared)
    assert prepared["head_node_type"] in prepared["available_node_types"]


def test_workers_stand_in_regions_of_a_latency_profile(config: dict) -> None:
    offered = {
        name.removeprefix("region_")
        for kind in config["available_node_types"].values()
        for name in kind["resources"]
        if name.startswith("region_")
    }
    assert len(offered) >= 3
    assert offered <= set(load_profile("aws-2025").regions)
