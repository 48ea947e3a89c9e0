"""The same requests to the real Alertmanager and to ours, and the same answers."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.servers import Alertmanager
from tests.web.contract import Asked, Both, moment
from tests.web.pager_sites import RunningPager

pytestmark = pytest.mark.alertmanager

DOCUMENT: dict[str, Any] = {
    "route": {
        "receiver": "ops",
        "group_by": ["alertname"],
        "group_wait": "1h",
        "routes": [
            {"matchers": ['owner="risk"'], "receiver": "risk", "group_by": ["..."], "continue": True},
            {"matchers": ['owner=~"risk|churn"'], "receiver": "both", "group_by": ["owner"]},
        ],
    },
    "receivers": [{"name": "ops"}, {"name": "risk"}, {"name": "both"}],
    "inhibit_rules": [
        {
            "source_matchers": ['severity="page"'],
            "target_matchers": ['severity="info"'],
            "equal": ["model"],
        }
    ],
}
ALERTS, GROUPS, SILENCES = "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"
LOOK = [Asked("GET", ALERTS), Asked("GET", GROUPS), Asked("GET", SILENCES)]


@pytest.fixture(scope="module")
def both(
    alertmanager_factory: Callable[[Mapping[str, Any]], Alertmanager],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Both]:
    theirs = alertmanager_factory(DOCUMENT)
    ours = RunningPager(tmp_path_factory.mktemp("pager"), DOCUMENT)
    pair = Both(theirs.url, ours.url)
    yield pair
    pair.close()
    ours.close()


def post(*alerts: Any) -> Asked:
    return Asked("POST", ALERTS, list(alerts))


def alert(name: str, **more: Any) -> dict[str, Any]:
    labels = {"alertname": name, **more.pop("labels", {})}
    return {"labels": labels, **more}


def silence(*matchers: tuple[str, str] | tuple[str, str, bool, bool], **more: Any) -> dict[str, Any]:
    some = [
        {"name": m[0], "value": m[1], **({"isRegex": False} if len(m) == 2 else {"isRegex": m[2]})}
        | ({} if len(m) == 2 else {"isEqual": m[3]})
        for m in matchers
    ]
    given = {
        "matchers": some,
        "startsAt": moment(-60),
        "endsAt": moment(3600),
        "createdBy": "ann",
        "comment": "planned",
    }
    return given | more


def body(path: str, raw: str, kind: str = "application/json") -> Asked:
    return Asked("POST", path, raw=raw, kind=kind)


def test_alerts(both: Both) -> None:
    sequence = [
        *LOOK,
        Asked("GET", "/api/v2/receivers"),
        post(alert("a1"), alert("a2", labels={"owner": "risk", "model": "m", "severity": "page"})),
        post(alert("a3", labels={"owner": "churn", "model": "m", "severity": "info", "empty": ""})),
        post(alert("a4", annotations={"summary": "<b> & Größe", "empty": ""}, generatorURL="http://p/g?x=1")),
        post(alert("a5", startsAt=moment(-600)), alert("a6", endsAt=moment(600))),
        post(alert("a7", startsAt=moment(-600), endsAt=moment(-300))),
        post(alert("a8", startsAt=moment(-600), endsAt=moment(900))),
        *LOOK,
        post(alert("a8", startsAt=moment(-900), endsAt=moment(800), annotations={"summary": "later"})),
        post(alert("a1", annotations={"summary": "again"}), alert("a5", endsAt=moment(-1))),
        *LOOK,
        post(alert("a9", startsAt="0001-01-01T00:00:00Z", endsAt="0001-01-01T00:00:00.000Z")),
        post(alert("aa", startsAt="2026-01-01T00:00:00"), alert("ab", startsAt="2026-01-01 00:00:00,25")),
        post(alert("ac", startsAt=None, endsAt=None, annotations=None, generatorURL=None)),
        post(alert("ad", labels={"n": None}), alert("ae", annotations={"n": None}), alert("af", extra=1)),
        *LOOK,
        body(ALERTS, "null"),
        body(ALERTS, "[]", "application/json; charset=utf-8"),
    ]
    both.agree(sequence)


@pytest.mark.parametrize(
    "query",
    [
        *("active=false", "silenced=false", "inhibited=false", "unprocessed=false", "active=true"),
        *(
            "active=0",
            "active=no",
            "active=yes",
            "active=",
            "active=nonsense",
            "inhibited=false&active=false",
        ),
        *("active=false&active=true", "silenced=FALSE", "other=1"),
        *("receiver=risk", "receiver=ri", "receiver=ri.*", "receiver=(", "receiver=", "receiver=risk|both"),
        *('filter=alertname="q1"', "filter=alertname=q1", 'filter=alertname=~"q.*"&filter=severity="info"'),
        *("filter=alertname%20=%20q1%20", 'filter=alertname!="q1"', 'filter=alertname!~"q[12]"'),
        *('filter=nope=""', 'filter=nope!=""', 'filter=model!=""', 'filter=model=""', 'filter=model=~".*"'),
        *("filter=x", "filter=", 'filter={alertname="q1"}', "filter=%3D1", 'filter=alertname=~"("'),
        *(
            'filter=alertname="q1"b"',
            'filter=alertname="q1',
            'filter=a="\\""',
            'filter=alertname=q1,model="m"',
        ),
    ],
)
def test_filters(both: Both, query: str) -> None:
    mine = 'filter=alertname=~"q[1-4]"&'
    sequence = [
        post(
            alert("q1", labels={"model": "q", "severity": "page", "owner": "risk"}),
            alert("q2", labels={"model": "q", "severity": "info"}),
            alert("q3", labels={"quiet": "q"}),
            alert("q4", labels={"owner": "churn", "model": "q2"}),
        ),
        Asked("POST", SILENCES, silence(("quiet", "q"))),
        Asked("GET", f"{ALERTS}?{query}&{mine}"),
        Asked("GET", f"{GROUPS}?{query}&{mine}"),
        Asked("DELETE", f"/api/v2/silence/$ID{len(both.ours.ids) + 1}"),
    ]
    both.agree(sequence)


REFUSED_ALERTS = [
    *("", "  ", "x", "{}", "1", '"text"', "[1]", "[{}]", '[{"labels":null}]', '[{"labels":{}}]', "[[]]"),
    *('[{"labels":{"a":""}}]', '[{"labels":{"alertname":1}}]', '[{"labels":["a"]}]', '[{"labels":"a"}]'),
    *(
        '[{"labels":{"alertname":"b"},"generatorURL":"not a url"}]',
        '[{"labels":{"alertname":"b"},"endsAt":1}]',
    ),
    '[{"labels":{"alertname":"b"},"annotations":{"a":{}}}]',
    '[{"labels":{"alertname":"b"},"startsAt":"yesterday"}]',
    '[{"labels":{"alertname":"b"},"startsAt":"2026-13-01T00:00:00Z"}]',
    '[{"labels":{"alertname":"b"},"startsAt":"2026-01-01"}]',
    '[{"labels":{"alertname":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]',
    '[{"labels":{"alertname":"b"},"annotations":{"":"x"}}]',
    '[{"labels":{"":"x","alertname":"b"}}]',
    '[{"labels":{"alertname":"kept"}},{"labels":{}},{"labels":{"":"x"}}]',
    '[{"labels":{"alertname":"lost"}},{"labels":null}]',
    '[{"labels":{"alertname":"lost2"}},{"labels":{"a":1}}]',
    '[{"labels":{"alertname":"lost3"}}',
]


@pytest.mark.parametrize("raw", REFUSED_ALERTS)
def test_refused_alerts(both: Both, raw: str) -> None:
    """And of a mixed post the same are taken."""
    found = Asked("GET", f'{ALERTS}?filter=alertname=~"b|kept|lost.*"')
    both.agree([body(ALERTS, raw), found])


FINE = '"createdBy":"ann","comment":"c"'
SPAN = '"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"'
ONE = '"matchers":[{"name":"a","value":"b","isRegex":false}]'
REFUSED_SILENCES = [
    *("", "{}", "null", "[]", "x", '"a"'),
    *(f"{{{SPAN},{ONE}}}", f"{{{FINE},{ONE}}}", f"{{{FINE},{SPAN}}}", f'{{{FINE},{SPAN},"matchers":[]}}'),
    *(f'{{{FINE},{SPAN},"matchers":{{}}}}', f'{{{FINE},{SPAN},"matchers":[{{}}]}}'),
    f'{{{FINE},{SPAN},"matchers":[{{"name":"a","value":"b"}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"name":"a","isRegex":false}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"value":"a","isRegex":false}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"name":"","value":"a","isRegex":false}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"name":"a","value":"","isRegex":false}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"name":"a","value":".*","isRegex":true}}]}}',
    f'{{{FINE},{SPAN},"matchers":[{{"name":"a","value":"(","isRegex":true}}]}}',
    f'{{{FINE},"startsAt":"bad","endsAt":"2099-01-01T00:00:00Z",{ONE}}}',
    f'{{{FINE},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-02-01T00:00:00Z",{ONE}}}',
    f'{{{FINE},"startsAt":"2099-01-01T00:00:00Z","endsAt":"2098-01-01T00:00:00Z",{ONE}}}',
    f'{{{FINE},"startsAt":"2099-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z",{ONE}}}',
    f'{{{FINE},{SPAN},{ONE},"id":"nothing"}}',
    f'{{{FINE},{SPAN},{ONE},"id":"4f0c2d3a-1111-4222-8333-123456789abc"}}',
]


@pytest.mark.parametrize("raw", REFUSED_SILENCES)
def test_refused_silences(both: Both, raw: str) -> None:
    both.agree([body(SILENCES, raw)])


def test_silences(both: Both) -> None:
    first = len(both.ours.ids) + 1
    one, two, three, four, five, six = (f"$ID{first + i}" for i in range(6))
    begins, ends = moment(1000), moment(4000)
    look = [Asked("GET", f"{SILENCES}?filter={m}") for m in ("u=1", "u=2", 'u="1"', 'u=~"1"', "u!=1", "u!~x")]
    look += [Asked("GET", f"/api/v2/silence/{one}"), Asked("GET", f'{ALERTS}?filter=u=~".%2B"')]
    sequence = [
        post(alert("s1", labels={"u": "1"}), alert("s2", labels={"u": "2"})),
        Asked("POST", SILENCES, silence(("u", "1"))),
        *look,
        # Another comment and end: the same; another start: another.
        Asked("POST", SILENCES, silence(("u", "1"), id=one, startsAt=moment(30))),
        *look,
        Asked("POST", SILENCES, silence(("u", "1"), id=one)),
        Asked("POST", SILENCES, silence(("u", "2"), startsAt=begins, endsAt=ends, comment="later")),
        *look,
        Asked("POST", SILENCES, silence(("u", "2"), id=four, startsAt=moment(2000), endsAt=ends)),
        Asked("POST", SILENCES, silence(("u", "2"), ("v", ""), id=four, startsAt=begins, endsAt=ends)),
        *look,
        Asked("POST", SILENCES, silence(("u", "x", True, False), comment="", createdBy="")),
        *look,
        *(Asked("DELETE", f"/api/v2/silence/{id}") for id in (one, two, two, five, six)),
        *look,
        Asked("POST", SILENCES, silence(("u", "2"), id=five, startsAt=begins, endsAt=ends)),
        *look,
    ]
    del three
    both.agree(sequence)


def test_other_paths(both: Both) -> None:
    sequence = [
        Asked("GET", "/api/v2/nothing"),
        Asked("GET", "/api/v2/"),
        Asked("PUT", ALERTS, []),
        Asked("DELETE", SILENCES),
        Asked("POST", "/api/v2/status", {}),
        Asked("GET", "/api/v2/silence/nothing"),
        Asked("DELETE", "/api/v2/silence/nothing"),
        Asked("GET", "/api/v2/silence/"),
        body(ALERTS, "[]", "text/plain"),
        body(ALERTS, "[]", "application/x-www-form-urlencoded"),
        Asked("GET", f"{SILENCES}?filter=x"),
        Asked("GET", "/-/healthy"),
        Asked("GET", "/-/ready"),
        Asked("POST", "/-/reload"),
    ]
    both.agree(sequence)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        # It has no such silence, which is no fault of the server: as newer Alertmanagers have it.
        (Asked("DELETE", "/api/v2/silence/4f0c2d3a-1111-4222-8333-123456789abc"), (500, 404)),
        (Asked("GET", "/api/v2/silence/4f0c2d3a-1111-4222-8333-123456789abc"), (404, 404)),
        # Names may hold any text, as in 0.27 and later.
        (post(alert("d1", labels={"a-b": "c"})), (400, 200)),
        (post(alert("d2", annotations={"größe": "c"})), (400, 200)),
        # What has not begun can't fire: a clock is wrong.
        (post(alert("d3", startsAt=moment(8000), endsAt=moment(9000))), (200, 400)),
        # Bounded, with the bound named.
        (post({"labels": {f"l{i}": "x" for i in range(1000)}}), (200, 400)),
        (post(alert("d4", annotations={"text": "x" * 100_000})), (200, 400)),
        # Year 0 is no year. (An empty time is none here, and 1970 there.)
        (post(alert("d5", startsAt="0000-01-01T00:00:00Z")), (200, 400)),
    ],
)
def test_intended_differences(both: Both, asked: Asked, status: tuple[int, int]) -> None:
    theirs, ours = both.ask(asked)
    assert (theirs[0], ours[0]) == status


@pytest.mark.parametrize("seed", range(25))
def test_generated_sequences(both: Both, seed: int) -> None:
    """Posts, silences and questions in any order."""
    rng = random.Random(seed)
    run = f"g{seed}"
    mine = f'filter=run="{run}"'
    made = len(both.ours.ids)

    def an_alert() -> dict[str, Any]:
        labels = {"run": run} | {
            name: rng.choice(values)
            for name, values in (
                ("model", ["m1", "m2", ""]),
                ("severity", ["page", "info", ""]),
                ("owner", ["risk", "churn", "x"]),
                ("job", ["j1", "j2", ""]),
            )
            if rng.random() < 0.8
        }
        times: dict[str, str] = {}
        if rng.random() < 0.6:
            times["startsAt"] = moment(rng.choice([-900, -600, -60]))
        if rng.random() < 0.5:
            times["endsAt"] = moment(rng.choice([-300, -30, 600, 6000]))
        notes = {"annotations": {"n": str(rng.randrange(3))}} if rng.random() < 0.5 else {}
        return {"labels": labels, **times, **notes}

    def a_silence() -> dict[str, Any]:
        chosen = rng.choice(
            [("severity", "info"), ("owner", "risk|x", True, True), ("job", "j1", False, False)]
        )
        known = [f"$ID{i + 1}" for i in range(made, len(both.ours.ids))]
        more = {"id": rng.choice(known)} if known and rng.random() < 0.5 else {}
        at = {"startsAt": moment(rng.choice([-60, 600])), "endsAt": moment(rng.choice([1200, 2400]))}
        return silence(("run", run), chosen, **at, **more)

    for _ in range(12):
        what = rng.random()
        known = [f"$ID{i + 1}" for i in range(made, len(both.ours.ids))]
        if what < 0.5:
            asked = post(*(an_alert() for _ in range(rng.randrange(1, 4))))
        elif what < 0.8 or not known:
            asked = Asked("POST", SILENCES, a_silence())
        else:
            asked = Asked("DELETE", f"/api/v2/silence/{rng.choice(known)}")
        flags = "".join(f"&{n}={rng.random() < 0.7}" for n in ("active", "silenced", "inhibited"))
        both.agree(
            [
                asked,
                Asked("GET", f"{ALERTS}?{mine}{flags}"),
                Asked("GET", f"{GROUPS}?{mine}{flags}"),
                Asked("GET", f'{SILENCES}?filter=run="{run}"'),
            ]
        )
