"""What of a runbook goes into a page."""

from pathlib import Path

import pytest

from monitor.paging.runbooks import RUNBOOKS, first_steps

TEXT = """\
# A

## First five minutes

Replace MODEL.

```sh
# which version
monitor query --model MODEL
```

## Usual causes

- none
"""


def test_the_commands_are_taken_with_the_model_in_them(tmp_path: Path) -> None:
    (tmp_path / "A.md").write_text(TEXT)
    assert first_steps("A", "fraud", tmp_path) == ("# which version", "monitor query --model fraud")
    assert first_steps("A", "fraud", tmp_path, most=1) == ("# which version",)


@pytest.mark.parametrize("model", ["", "x; rm -rf /", "$(id)", "-o", "a\nb", "a b"])
def test_a_label_puts_no_command_there(tmp_path: Path, model: str) -> None:
    (tmp_path / "A.md").write_text(TEXT)
    assert first_steps("A", model, tmp_path)[1] == "monitor query --model MODEL"


def test_without_commands_the_lines_are_taken(tmp_path: Path) -> None:
    (tmp_path / "A.md").write_text("## First steps\n1. Look\n\n2. Call\n## More\nx\n")
    assert first_steps("A", folder=tmp_path) == ("1. Look", "2. Call")


@pytest.mark.parametrize("name", ["none", "", "../README", "/etc/passwd", "a\x00b", "A" * 300])
def test_what_is_no_runbook_has_no_steps(tmp_path: Path, name: str) -> None:
    assert first_steps(name, folder=tmp_path) == ()


def test_each_of_ours_has_some() -> None:
    if not RUNBOOKS.is_dir():
        pytest.skip("the runbooks aren't beside the package")
    assert [f.stem for f in RUNBOOKS.glob("*.md") if not first_steps(f.stem, "fraud")] == []
