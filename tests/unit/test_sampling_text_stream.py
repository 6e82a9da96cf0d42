"""Text that grows token by token: whole characters, one line, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling_models import tokenizer

from core.sampling.text_stream import TextStream

WORDS = tokenizer()


def decode(ids: list[int]) -> str:
    return WORDS.decode(ids, skip_special_tokens=True)


def streamed(prompt: str, ids: list[int]) -> tuple[list[str], TextStream]:
    stream = TextStream(decode, [0, *WORDS.encode(prompt).ids])
    deltas = []
    for token in ids:
        deltas.append(stream.push(token))
        if stream.ended_by:
            break
    return [*deltas, stream.flush()], stream


def test_lines_are_kept_where_the_model_learned_them() -> None:
    ids = WORDS.encode("one\ntwo").ids
    stream = TextStream(decode, [0], ends=())
    written = "".join(stream.push(token) for token in ids) + stream.flush()
    assert written == stream.text == "one\ntwo"
    assert not stream.ended_by


@settings(max_examples=200, deadline=None)
@given(
    prompt=st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=12),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=40),
)
def test_any_text_comes_through_up_to_its_first_line_break(prompt, text):
    deltas, stream = streamed(prompt, WORDS.encode(text).ids)
    expected = text.partition("\n")[0]
    if not prompt:
        expected = expected.lstrip()
    assert "".join(deltas) == stream.text == expected
    assert not any("\ufffd" in delta for delta in deltas)
    assert stream.ended_by == ("\n" if "\n" in text else None)


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(4, 399), max_size=40))
def test_any_tokens_give_what_decoding_them_at_once_gives(ids):
    deltas, _ = streamed("", ids)
    whole = decode(ids).partition("\n")[0].lstrip()
    assert "".join(deltas).rstrip("\ufffd") == whole.rstrip("\ufffd")


@pytest.mark.parametrize("emoji", ["🌊", "🐦‍⬛", "👩‍🚀", "🇳🇴"])
def test_an_emoji_in_several_tokens_appears_whole_or_not_at_all(emoji):
    ids = WORDS.encode(f"a{emoji}").ids
    assert len(ids) > 2
    for cut in range(1, len(ids) + 1):
        deltas, stream = streamed("", ids[:cut])
        assert f"a{emoji}".startswith(stream.text)
        assert "\ufffd" not in "".join(deltas)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("abé🌊 ", max_size=30),
    ends=st.lists(st.text("abé🌊 ", min_size=1, max_size=4), max_size=3),
)
def test_a_text_ends_before_the_first_of_its_ends(text: str, ends: list[str]) -> None:
    stream = TextStream(decode, WORDS.encode("x").ids, ends=ends)
    deltas = []
    for token in WORDS.encode(text).ids:
        deltas.append(stream.push(token))
        assert not any(end in "".join(deltas) for end in ends)
        if stream.ended_by is not None:
            break
    deltas.append(stream.flush())
    places = [place for end in ends if (place := text.find(end)) >= 0]
    assert "".join(deltas) == stream.text
    if stream.ended_by is None:
        assert not places
        assert stream.text == text
    else:
        first = text.index(stream.ended_by)
        assert stream.text == text[:first]


@settings(max_examples=300, deadline=None)
@given(text=st.lists(st.sampled_from(["&", "amp;", "lt;", "gt;", "a", "m", ";", " "])).map("".join))
def test_entities_become_the_characters_they_stand_for_once(text: str) -> None:
    ids = WORDS.encode(text).ids
    stream = TextStream(decode, WORDS.encode("x").ids, unescape=True)
    deltas = [stream.push(token) for token in ids]
    deltas.append(stream.flush())
    expected = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert "".join(deltas) == stream.text == expected
    kept = TextStream(decode, WORDS.encode("x").ids)
    assert "".join([*(kept.push(token) for token in ids), kept.flush()]) == text


def test_what_may_be_an_entity_waits_and_a_text_ends_at_the_character() -> None:
    stream = TextStream(decode, WORDS.encode("x").ids, ends=["&"], unescape=True)
    shown = "".join(stream.push(token) for token in WORDS.encode("b &am").ids)
    assert shown == "b "
    shown += "".join(stream.push(token) for token in WORDS.encode("p; c").ids)
    assert (shown, stream.ended_by) == ("b ", "&")
