"""The environment that templates are rendered in, and the program that renders those of users.

It stands alone, for it also runs as a process of its own with little memory: there a template may loop for
ever or grow without end, and is stopped with the process. As a program: requests on standard input, answers
on standard output, each a line of JSON.
"""

import json
import sys
from typing import Any

from jinja2 import ChainableUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["MAX_CHARACTERS", "MAX_MEMORY_BYTES", "environment", "rendered"]

MAX_CHARACTERS = 100_000
MAX_MEMORY_BYTES = 512 << 20


def environment(html: bool = False) -> ImmutableSandboxedEnvironment:
    """Templates can't change values or reach into Python; in HTML what they show is escaped. A label that
    isn't there is empty, as in Alertmanager."""
    return ImmutableSandboxedEnvironment(
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=ChainableUndefined,
    )


def rendered(source: str, html: bool, values: dict[str, Any]) -> str:
    """The text, cut with a note where it is endless. Raises TemplateError, and whatever an expression
    raises."""
    parts, count = list[str](), 0
    for part in environment(html).from_string(source).generate(values):
        parts.append(part)
        count += len(part)
        if count > MAX_CHARACTERS:
            return "".join(parts)[:MAX_CHARACTERS] + f"\n(cut: more than {MAX_CHARACTERS:,} characters)"
    return "".join(parts)


def _answer(line: str) -> dict[str, str]:
    request = json.loads(line)
    try:
        return {"text": rendered(request["source"], request["html"], request["values"])}
    except TemplateError as e:
        return {"error": e.message or type(e).__name__}
    except MemoryError:
        return {"error": f"it takes more than {MAX_MEMORY_BYTES >> 20} MiB"}
    except RecursionError:
        return {"error": "it calls itself without end"}
    except Exception as e:
        # An expression may raise anything, and the next request is another template's.
        return {"error": f"{type(e).__name__}: {e}"}


def _serve() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    except (ImportError, ValueError, OSError):
        print("the memory of templates can't be bounded here", file=sys.stderr)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
