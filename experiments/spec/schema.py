"""The JSON Schema of experiment files, from the same models that read them."""

from typing import Any

from experiments.spec.models import file_model

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
    schema["title"] = "A splitbrain experiment"
    schema["$schema"] = DIALECT
    # What a file leaves out may stand in the one that it extends, or in each of its variants.
    schema["required"] = ["name"]
    return schema
