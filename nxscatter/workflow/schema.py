"""Schemas: where they lie, and the JSON ones made from the declarations of the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from types import NoneType
from typing import Any

from nxscatter.fields import Declared, Either, One, Row, Several, Table, declared_fields, without_none
from nxscatter.model import DOUBTS, Attachment
from nxscatter.plain import Json
from nxscatter.step import Step, registry

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_FILE = {
    "type": "object",
    "properties": {"file": {"type": "string"}, "role": {"type": "string"}, "sha256": _SHA256},
    "required": ["file", "role", "sha256"],
}
_TYPES = {
    float: "number",
    int: "integer",
    bool: "boolean",
    str: "string",
    Attachment: "string",
    NoneType: "null",
}


def recipe_schema() -> dict[str, Json]:
    """Return the JSON schema of recipes: every step with its parameters, units, limits and defaults."""
    steps = [_step_schema(kind) for _, kind in sorted(registry().items())]
    return {
        "$schema": _DRAFT,
        "title": "nxscatter recipe",
        "description": "Ordered steps; a later one takes the newest record of the type it needs, or its input.",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "step": {"type": "array", "minItems": 1, "items": {"oneOf": steps}},
        },
        "required": ["step"],
        "additionalProperties": False,
    }


def configuration_schema() -> dict[str, Json]:
    """Return the JSON schema of a record's configuration: what was run, on what, and by which programs."""
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    source = {"type": "object", "properties": {"path": text, "checksum": _SHA256}, "required": ["path", "checksum"]}
    doubt = {
        "type": "object",
        "properties": {"status": {"enum": list(DOUBTS)}, "reason": text, "q": {"type": ["number", "null"]}},
        "required": ["status", "reason", "q"],
    }
    described = {
        "step": text,
        "step_version": {"type": "integer", "minimum": 1},
        "parameters": {"type": "object", "description": "of the step, given or by default; a file by its hash"},
        "attachments": {"type": "object", "additionalProperties": texts, "description": "input_N of each file"},
        "inputs": {"type": "object", "additionalProperties": {"type": "array", "items": source}},
        "auto": {"type": "object", "description": "what the step chose by itself"},
        "notes": {**texts, "description": "warnings"},
        "doubts": {
            "type": "array",
            "items": doubt,
            "description": "what not to trust it for",
        },
        "environment": {"type": "object", "additionalProperties": text, "description": "versions of the programs"},
    }
    return {
        "$schema": _DRAFT,
        "title": "nxscatter configuration",
        "type": "object",
        "properties": described,
        "required": [name for name in described if name != "doubts"],
        "additionalProperties": False,
        "allOf": [_stored_step(kind) for _, kind in sorted(registry().items())],
    }


def _stored_step(kind: type[Step]) -> dict[str, Json]:
    """Say what the parameters of a step are in a record, where all are given; older versions may have others."""
    kinds = declared_fields(kind)
    parameters = {item.name: type_schema(kinds[item.name], item.metadata, stored=True) for item in fields(kind)}
    which = {"step": {"const": kind.name}, "step_version": {"const": kind.version}}
    said = {"properties": parameters, "required": list(parameters), "additionalProperties": False}
    return {"if": {"properties": which}, "then": {"properties": {"parameters": said}}}


def _step_schema(kind: type[Step]) -> dict[str, Json]:
    kinds = declared_fields(kind)
    names = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}
    return {
        "title": kind.name,
        "description": (kind.__doc__ or "").split("\n\n")[0].strip(),
        "type": "object",
        "properties": {
            "use": {"const": kind.name},
            "as": {**names, "description": "name of its records, where the step is used twice"},
            "input": {"anyOf": [names, {"type": "array", "items": names}], "description": "earlier records it takes"},
            **{item.name: _parameter_schema(item, kinds[item.name]) for item in fields(kind)},
        },
        "required": ["use", *(item.name for item in fields(kind) if item.default is MISSING)],
        "additionalProperties": False,
    }


def _parameter_schema(item: Field[Any], kind: Declared) -> dict[str, Json]:
    rules = item.metadata
    described: dict[str, Json] = {"description": rules["doc"]}
    if rules["units"]:
        described["units"] = rules["units"]
    if item.default is not MISSING and item.default not in (None, ()):
        described["default"] = list(item.default) if isinstance(item.default, tuple) else item.default
    return described | type_schema(without_none(kind), rules)


def type_schema(kind: Declared, rules: Mapping[str, Any], *, stored: bool = False) -> dict[str, Json]:
    """Return the schema of a declared type; limits and choices hold for the elements of a list.

    In a record (``stored``) a file is an object, and one value is a list, too.
    """
    match kind:
        case Either(options):
            return {"anyOf": [type_schema(option, rules, stored=stored) for option in options]}
        case Row(items):
            listed = [type_schema(item, rules, stored=stored) for item in items]
            return {"type": "array", "prefixItems": listed, "minItems": len(items), "maxItems": len(items)}
        case Several(item):
            element = type_schema(item, rules, stored=stored)
            several = {"type": "array", "items": element}
            # one text alone is taken for a slip, one number or file for a list of one
            return several if stored or item == One(str) else {"anyOf": [several, element]}
        case Table(item):
            return {"type": "object", "additionalProperties": type_schema(item, rules, stored=stored)}
        case One(found):
            return _value_schema(found, rules, stored)


def _value_schema(kind: type, rules: Mapping[str, Any], stored: bool) -> dict[str, Json]:
    if stored and kind is Attachment:
        return _FILE
    schema: dict[str, Json] = {"type": _TYPES[kind]}
    for key, name in (("minimum", "minimum"), ("maximum", "maximum"), ("above", "exclusiveMinimum")):
        if rules[key] is not None and kind in (int, float):
            schema[name] = rules[key]
    if rules["choices"] is not None and kind is not NoneType:
        schema["enum"] = list(rules["choices"])
    return schema
