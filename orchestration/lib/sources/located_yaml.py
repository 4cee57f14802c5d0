"""YAML as plain text with line numbers.

Belongs here: reading a YAML file so that every error can name its line, and so that nothing is
turned into another type behind the writer's back (`NO` stays the country, `On` the status,
`2025-01-01` the text; the typed settings decide what each means).
Does not belong here: what the keys mean (`config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Location = tuple[str | int, ...]


class YamlError(ValueError):
    """The file is not YAML that can be used: carries the line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Document:
    """Values as text, lists and mappings, and the line on which each key or item stands."""

    value: Any
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """The line of that place, or of the nearest place around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def read(path: Path) -> Document:
    """Read one YAML file; YamlError names the line of whatever cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise YamlError(line, "the file is not UTF-8; save it as UTF-8") from error
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        document = Document(None)
        if node is not None:
            document.value = _value(loader, node, (), document.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(mark.line + 1 if mark else 1, problem) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise YamlError(line, f"a character that YAML does not allow ({error.reason})") from error
    finally:
        loader.dispose()
    return document


def _value(
    loader: yaml.SafeLoader, node: yaml.Node, at: Location, lines: dict[Location, int]
) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        _refuse_duplicates(own)
        loader.flatten_mapping(node)
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError(key_node.start_mark.line + 1, "a key must be plain text")
            key = str(key_node.value)
            lines[(*at, key)] = key_node.start_mark.line + 1
            mapping[key] = _value(loader, value_node, (*at, key), lines)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*at, i), lines) for i, item in enumerate(node.value)]
    is_null = node.tag == "tag:yaml.org,2002:null" and getattr(node, "style", None) is None
    return None if is_null else str(node.value)


def _refuse_duplicates(keys: list[yaml.Node]) -> None:
    """YAML readers let the last of two equal keys win in silence; a mapping would vanish."""
    first: Mapping[str, int] = {}
    for key in keys:
        line = key.start_mark.line + 1
        name = str(key.value)
        if name in first:
            raise YamlError(line, f"the key {name!r} stands twice (first on line {first[name]})")
        first = {**first, name: line}
