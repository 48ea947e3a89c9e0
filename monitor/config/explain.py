"""Says what is wrong with a value, in a sentence that tells what to write instead."""

import difflib
import types
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic_core import ErrorDetails

from monitor.config.document import Location
from monitor.config.model import Config
from monitor.config.secrets import is_secret
from monitor.config.section import Section

__all__ = ["example_at", "explain", "keys_of"]


def explain(error: ErrorDetails, root: type[Section] = Config) -> str:
    """The sentence for one of pydantic's errors on `root`."""
    kind, location = error["type"], error["loc"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(location, root)
    if kind == "missing":
        section = _section(location, root)
        if section is not None:
            return f"is missing; write a mapping with keys such as {', '.join(list(keys_of(section))[:3])}"
        return f"is missing; write for example {location[-1]}: {_example(location, root)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return _not_a_mapping(location, root)
    if kind == "tuple_type":
        return f"must be a list, such as {_example(location, root)}"
    if kind == "too_short":
        return "must have at least one entry"
    sentence = _FIXED.get(kind) or _bound(kind, context)
    if sentence is None:
        return str(error["msg"])
    return sentence + _seen(location, error["input"])


_FIXED = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of less than 20 digits",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "path_type": "must be a path",
    "string_too_short": "must not be empty",
}


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    if kind == "literal_error":
        return "must be " + str(context["expected"]).replace("'", "")
    words = {"greater_than": "above", "greater_than_equal": "at least", "less_than_equal": "at most"}
    bounds = {"greater_than": "gt", "greater_than_equal": "ge", "less_than_equal": "le"}
    return f"must be {words[kind]} {context[bounds[kind]]}" if kind in words else None


def _seen(location: Location, value: Any) -> str:
    if isinstance(value, dict | list):
        return f", not a {'mapping' if isinstance(value, dict) else 'list'}"
    if any(is_secret(str(part)) for part in location) or location[:1] == ("store",) or value in ("", None):
        return ""
    return f", not {value!r}" if isinstance(value, str) else f", not {value}"


def _not_a_mapping(location: Location, root: type[Section]) -> str:
    section = _section(location, root)
    if section is None:
        return "must be a mapping of names to values, one a line: `name: value`"
    return f"must be a mapping with keys such as {', '.join(list(keys_of(section))[:3])}"


def _unknown(location: Location, root: type[Section]) -> str:
    key = str(location[-1])
    section = _section(location[:-1], root) or root
    known = keys_of(section)
    for name, field_name in known.items():
        if key == field_name:
            return f"no such key; write {name}, with the unit in its value"
    elsewhere = [place for place in _places(root, "") if place.rsplit(".", 1)[-1] == key]
    if elsewhere:
        return f"no such key here; did you mean {' or '.join(elsewhere)}?"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"no such key; did you mean {near[0]}?"
    return f"no such key; there are {', '.join(known)}"


def keys_of(section: type[Section]) -> dict[str, str]:
    """The keys of a section as a file writes them, each with the name of its field."""
    return {str(info.validation_alias or name): name for name, info in section.model_fields.items()}


def _places(section: type[Section], prefix: str, around: frozenset[type] = frozenset()) -> Iterator[str]:
    around |= {section}
    for key, name in keys_of(section).items():
        yield prefix + key
        inner, several = _inside(section.model_fields[name].annotation)
        # A section may hold others of its own kind, as a route does.
        if inner is not None and inner not in around:
            yield from _places(inner, f"{prefix}{key}{several}.", around)


def _section(location: Location, root: type[Section]) -> type[Section] | None:
    """The section that stands at a place, None where there is a plain value."""
    section: type[Section] | None = root
    several = ""
    for part in location:
        if several:
            several = ""
            continue
        name = keys_of(section).get(str(part)) if section else None
        if section is None or name is None:
            return None
        section, several = _inside(section.model_fields[name].annotation)
    return None if several else section


def _inside(annotation: Any) -> tuple[type[Section] | None, str]:
    """The section that a field holds, and how one of several is told in a place: by name or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, ""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return _inside(inner[1])[0], ".<name>"
    if origin is tuple:
        return _inside(inner[0])[0], "[]"
    if origin is Annotated:
        return _inside(inner[0])
    if origin in (Union, types.UnionType):
        for option in inner:
            if option is not type(None):
                return _inside(option)
    return None, ""


def example_at(location: Location, root: type[Section] = Config) -> Any:
    """A value that a required field could have; of a section, one that is empty."""
    if _section(location, root) is not None:
        return {}
    section = _section(location[:-1], root)
    name = keys_of(section).get(str(location[-1])) if section else None
    examples = section.model_fields[name].examples if section and name else None
    return deepcopy(examples[0]) if examples else ["first", "second"]


def _example(location: Location, root: type[Section]) -> str:
    return _flow(example_at(location, root))


def _flow(value: Any) -> str:
    """The value as YAML in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    return str(value)
