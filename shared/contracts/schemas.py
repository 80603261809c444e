"""JSON Schemas of the events, for integrators. The golden copies lie in ``golden/``; a test compares them."""

import inspect
import json
from typing import Any

from shared.contracts.envelope import SCHEMA_PREFIX, Envelope
from shared.contracts.events import EventData


def schema_of(event: type[EventData]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a whole event of this type: envelope and data. It allows unknown fields."""
    schema = Envelope.model_json_schema(mode="validation")
    data = event.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    definitions = data.pop("$defs", {})
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = SCHEMA_PREFIX + event.type()
    schema["title"] = event.type()
    schema["description"] = inspect.cleandoc(event.__doc__ or "")
    schema["properties"]["type"] = {"const": event.type()}
    schema["properties"]["dataschema"] = {"const": SCHEMA_PREFIX + event.type()}
    schema["properties"]["data"] = data
    if definitions:
        schema["$defs"] = definitions
    return schema


def golden_text(event: type[EventData]) -> str:
    """The exact text of the golden file of an event type."""
    return json.dumps(schema_of(event), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
