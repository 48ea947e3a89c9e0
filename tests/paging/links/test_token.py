"""The text of a link: what one key signed, whole, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.paging.links.token import Bad, Link, read, sign

KEY = b"k" * 32
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
links = st.builds(
    Link,
    st.integers(0, 2**48 - 1),
    st.text(st.characters(codec="utf-8"), max_size=40).filter(lambda s: len(s.encode()) <= 150),
    st.integers(0, 2**40 - 1),
    st.binary(min_size=12, max_size=12),
)


@given(links)
def test_what_was_signed_is_read(link: Link) -> None:
    text = sign(KEY, link)
    assert read(KEY, text) == link
    assert set(text) <= set(DIGITS)


@given(links, st.data())
def test_a_bit_that_is_flipped_is_refused(link: Link, data: st.DataObject) -> None:
    """Of what the text stands for, and of the text."""
    text = sign(KEY, link)
    at = data.draw(st.integers(0, len(text) - 1))
    bit = 1 << data.draw(st.integers(0, 5))
    other = DIGITS[DIGITS.index(text[at]) ^ bit]
    assert isinstance(read(KEY, text[:at] + other + text[at + 1 :]), Bad)
    changed = bytearray(text.encode())
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(read(KEY, changed.decode("latin-1")), Bad)


@given(links, st.binary(min_size=1, max_size=64).filter(lambda key: key != KEY))
def test_another_key_reads_nothing(link: Link, other: bytes) -> None:
    assert read(other, sign(KEY, link)) is Bad.FORGED


@given(links, st.data())
def test_what_is_cut_or_longer_is_refused(link: Link, data: st.DataObject) -> None:
    text = sign(KEY, link)
    assert isinstance(read(KEY, text[: data.draw(st.integers(0, len(text) - 1))]), Bad)
    assert isinstance(read(KEY, text + data.draw(st.text(DIGITS + "=\n .", min_size=1, max_size=8))), Bad)


@given(st.text(max_size=400))
def test_any_text_is_refused(text: str) -> None:
    assert isinstance(read(KEY, text), Bad)


@given(links, links)
def test_a_mark_tells_messages_apart(one: Link, other: Link) -> None:
    def same(link: Link) -> tuple[object, ...]:
        return link.incident, link.receiver, link.nonce

    assert (one.mark == other.mark) is (same(one) == same(other))


@pytest.mark.parametrize("name", ["r" * 500, "é" * 200])
def test_a_long_name_is_cut(name: str) -> None:
    found = read(KEY, sign(KEY, Link(1, name, 1, bytes(12))))
    assert isinstance(found, Link)
    assert name.startswith(found.receiver)
    assert len(found.receiver.encode()) == 150
