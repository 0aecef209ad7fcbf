"""The JSON Schema of experiment files, from the same models that read them."""

from collections.abc import Iterable
from typing import Any

from actors.systems import SYSTEMS
from experiments.spec import mixes
from experiments.spec.models import file_model
from experiments.workloads import WORKLOADS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema. It is a little wider than the reader: what takes several parts of a file to see is left out."""
    schema = file_model().model_json_schema(by_alias=True)
    properties = schema["properties"]
    properties["extends"] = {"type": "string", "description": "a file that this one is laid over"}
    overrides = {"type": "object", "description": "dotted paths, or nested mappings, and their values"}
    properties["variants"] = {
        "type": "object",
        "additionalProperties": {"anyOf": [overrides, {"type": "null"}]},
        "description": "ways to run the same file, each with the values that it sets",
    }
    properties["matrix"] = {
        "type": "object",
        "additionalProperties": {"type": "array", "minItems": 1},
        "description": "dotted paths with the values that they take; every combination is run",
    }
    properties["system"] = _or_a_name(properties["system"], SYSTEMS)
    properties["workload"]["oneOf"].append({"enum": list(WORKLOADS)})
    if mixes.names():
        properties["chaos"]["oneOf"].append({"enum": mixes.names()})
    schema["title"] = "A splitbrain experiment"
    schema["$schema"] = DIALECT
    # What a file leaves out may stand in the one that it extends, or in each of its variants.
    del schema["required"]
    schema["anyOf"] = [{"required": ["name"]}, {"required": ["extends"]}]
    return schema


def _or_a_name(schema: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What may also be just the name of a choice: `system: raft`."""
    return {"anyOf": [{"$ref": schema.pop("$ref")}, {"enum": list(names)}], **schema}
