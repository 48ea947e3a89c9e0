"""No template of a user's holds us up, fills the memory, or keeps a page from going out."""

import time
from contextlib import suppress

import pytest

from monitor.config.paging_templates import TemplatesSection
from monitor.paging.templates import DEFAULT, Part, Templates
from monitor.paging.templates.checking import checked
from monitor.paging.templates.sandbox import MAX_CHARACTERS
from monitor.paging.templates.worker import TemplateFailed, Worker
from tests.paging.messages import message

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
BAD = {
    "a loop without end": ENDLESS,
    "a loop that writes": ENDLESS.replace("{% endfor %}", "xxxxxxxxxx{% endfor %}", 1),
    "ten gigabytes": "{{ 'x' * 10000000000 }}",
    "ten gigabytes by a filter": "{{ 'x' | center(10000000000) }}",
    "ten gigabytes by a format": "{{ '{:>10000000000}'.format(1) }}",
    "a text that doubles": "{% set n = namespace(s='x') %}"
    "{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
    "a great number": "{{ 10 ** (10 ** 10) }}",
    "itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a division": "{{ 1 / 0 }}",
    "Python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a filter that is none": "{{ headline | nosuchfilter }}",
    "a wrong type": "{{ headline + 1 }}",
    "another file": "{% include '/etc/passwd' %}",
}


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker(timeout_s=0.5)


@pytest.mark.parametrize("name", sorted(BAD))
def test_it_ends_soon_and_gives_no_text(worker: Worker, name: str) -> None:
    begin_s = time.monotonic()
    text = ""
    with suppress(TemplateFailed):
        text = worker.render(BAD[name], False, {"headline": "x"})
    assert len(text) < MAX_CHARACTERS + 100
    assert text == "" or text.endswith("(cut: more than 100,000 characters)")
    assert time.monotonic() - begin_s < 12
    assert worker.render("{{ headline }} again", False, {"headline": "x"}) == "x again"


def test_a_template_knows_no_environment(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "geheim")
    assert Worker(5.0).render("{{ cycler.__init__.__globals__.os.environ }}", False, {}) == ""


def test_a_page_goes_out_all_the_same_and_says_so() -> None:
    before = DEFAULT.failures[Part.TEXT]
    broken = DEFAULT.over({Part.TEXT: "{{ 1 / 0 }}", Part.TITLE: "{{ 1 / 0 }}"})
    text = broken.render(Part.TEXT, message())
    assert "Budget left:  31.4 %" in text
    assert text.endswith(
        "(The template for the text failed, so that this is the default: ZeroDivisionError: division by zero)"
    )
    assert broken.render(Part.TITLE, message()).startswith("[PAGE] fraud: ")
    assert broken.failures[Part.TEXT] == DEFAULT.failures[Part.TEXT] == before + 1


def test_own_templates_see_what_ours_do() -> None:
    own = Templates(
        {Part.TEXT: "{{ labels.model }} {{ labels.nothing }}{{ budget_left }}: {{ alerts[0].since }}"}
    )
    assert own.render(Part.TEXT, message()) == "fraud 31.4 %: 13:51 UTC"


def test_html_is_escaped_in_own_templates_too() -> None:
    own = Templates({Part.HTML: "<b>{{ text }}</b>"})
    assert own.render(Part.HTML, message(text="<script>")) == "<b>&lt;script&gt;</b>"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ .CommonLabels.model }}", "is no Jinja template: line 1: unexpected '.'"),
        ("a\n{% if x %}", "is no Jinja template: line 2"),
        ("{{ titel }}", "names titel, which no message has; there are alerts, annotations"),
        ("{{ " + "(" * 5_000 + "}}", "is no Jinja template"),
    ],
)
def test_a_mistake_is_told_when_it_is_read(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace("'.'", "'\\.'")):
        checked(source)


def test_a_section_gives_what_is_there() -> None:
    assert DEFAULT.over(TemplatesSection(title="{{ headline }}")).own == {Part.TITLE: "{{ headline }}"}
    assert DEFAULT.over(TemplatesSection()) is DEFAULT
