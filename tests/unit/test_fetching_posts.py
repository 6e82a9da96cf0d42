"""What X gives, to canonical rows; and whatever else a server may send, to nothing worse."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fetching.posts import XAccount, account_of, page_of, row_of
from core.tweet import tweet_schema

ME = XAccount("77", "harbour_gull")
LINK = {"url": "https://t.co/a", "expanded_url": "https://tides.example/?a=1&b=2"}


def row(**post: Any) -> dict[str, Any]:
    made = row_of({"id": "1600000000000000001", "text": "words", **post}, ME)
    assert made is not None
    return dict(zip(tweet_schema(), made, strict=True))


def test_a_plain_post() -> None:
    assert row(
        created_at="2023-02-18T12:33:11.000Z",
        lang="en",
        text="gulls &amp; crumbs",
        possibly_sensitive=True,
        public_metrics={"like_count": 3, "retweet_count": 2},
        entities={"urls": [LINK, {"url": "https://t.co/b"}]},
    ) == {
        "tweet_id": "1600000000000000001",
        "handle": "harbour_gull",
        "created_at": datetime(2023, 2, 18, 12, 33, 11, tzinfo=timezone.utc),
        "text": "gulls &amp; crumbs",
        "text_escaped": True,
        "kind": "original",
        "lang": "en",
        "reply_to": None,
        "urls": json.dumps([LINK], separators=(",", ":")),
        "sensitive": True,
        "favourites": 3,
        "reposts": 2,
        "note_id": None,
        "audience": "public",
        "source": "x-api",
        "source_file": "X API",
        "reply_to_id": None,
        "quoted_id": None,
        "conversation_id": None,
        "alt_text": None,
    }


def test_without_a_date_the_id_tells() -> None:
    assert row()["created_at"].year == 2022
    assert row(id="123")["created_at"] is None


@pytest.mark.parametrize("name", ["referenced_tweets", "referenced_posts"])
@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["retweeted"], "retweet"),
        (["reposted"], "retweet"),
        (["quoted"], "quote"),
        (["replied_to"], "reply"),
        (["quoted", "replied_to"], "reply"),
        ([], "original"),
        (["something_new"], "original"),
    ],
)
def test_kinds(types: list[str], kind: str, name: str) -> None:
    assert row(**{name: [{"type": one, "id": "5"} for one in types]})["kind"] == kind


@pytest.mark.parametrize("name", ["referenced_tweets", "referenced_posts"])
def test_which_posts_a_post_answers_and_quotes(name: str) -> None:
    both: dict[str, Any] = {
        name: [{"type": "quoted", "id": "5"}, {"type": "replied_to", "id": "6"}],
        "conversation_id": "4",
    }
    made = row(**both)
    assert (made["reply_to_id"], made["quoted_id"], made["conversation_id"]) == ("6", "5", "4")
    odd = row(**{name: [{"type": "replied_to"}, {"type": "quoted", "id": "x"}]}, conversation_id={})
    assert (odd["reply_to_id"], odd["quoted_id"], odd["conversation_id"]) == (None, None, None)


def test_whom_a_reply_answers() -> None:
    mentions = {"mentions": [{"username": "Other", "id": "1"}, {"username": "Asker", "id": "9"}]}
    reply = {"in_reply_to_user_id": "9", "entities": mentions}
    assert row(text="@Other @Asker yes", **reply)["reply_to"] == "asker"
    assert row(text="@Other @Asker yes", in_reply_to_user_id="9")["reply_to"] == "other"
    assert row(text="and then", in_reply_to_user_id="77")["reply_to"] == "harbour_gull"
    assert row(text="yes", in_reply_to_user_id="9")["reply_to"] is None
    assert row(text="yes", in_reply_to_user_id="9")["kind"] == "reply"


@pytest.mark.parametrize("name", ["note_tweet", "note_post"])
@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("salt &amp; tar, at length", True),
        ("salt & tar, at length", False),
        ("a < b, at length", False),
        ("AT&T &amp; others", False),
        ("nothing to tell by", True),
    ],
)
def test_long_posts(text: str, escaped: bool, name: str) -> None:
    long = row(
        text="salt", entities={"urls": []}, **{name: {"text": text, "entities": {"urls": [LINK]}}}
    )
    assert (long["text"], long["text_escaped"]) == (text, escaped)
    assert long["note_id"] == long["tweet_id"]
    assert json.loads(long["urls"]) == [LINK]


@pytest.mark.parametrize("name", ["edit_history_tweet_ids", "edit_history_post_ids"])
def test_edits_replace_what_was_there(name: str) -> None:
    body = {
        "data": [{"id": "30", "text": "c", name: ["10", "20", "30"]}, {"id": "20", "text": "b"}],
        "meta": {},
    }
    page = page_of(body, ME, since=None, until=None)
    assert page.replaced == ("10",)  # 20 is given beside it, so it is the server's business


def test_pages_have_bounds_and_a_next() -> None:
    body = {
        "data": [{"id": "9", "text": "a"}, {"id": "11", "text": "b"}, {"id": "5", "text": "c"}, 4],
        "meta": {"next_token": "n"},
    }
    page = page_of(body, ME, since=5, until=11)
    assert (page.newest, page.oldest, page.rows.height) == (9, 9, 1)
    assert (page.returned, page.skipped, page.next_token) == (4, 3, "n")
    empty = page_of({"meta": {"result_count": 0}}, ME, since=None, until=None)
    assert (empty.newest, empty.oldest, empty.returned, empty.next_token) == (None, None, 0, None)
    assert dict(empty.rows.schema) == tweet_schema()


def test_accounts() -> None:
    user = {"id": "77", "username": "Harbour_Gull", "name": "Gull", "protected": True,
            "profile_image_url": "https://pbs.example/a.jpg", "description": "",
            "created_at": "2012-03-01T00:00:00.000Z"}  # fmt: skip
    for spelling in ("tweet_count", "post_count"):
        account = account_of({"data": {**user, "public_metrics": {spelling: 12}}})
        assert account is not None
        assert (account.handle, account.posts, account.bio) == ("harbour_gull", 12, None)
        assert account.picture_url == "https://pbs.example/a.jpg"
    for wrong in ({"id": "7x"}, {"username": "a b"}, {"id": None}, {"username": "a" * 60}):
        assert account_of({"data": {**user, **wrong}}) is None
    odd = account_of({"data": {**user, "profile_image_url": "javascript:alert(1)"}})
    assert odd is not None
    assert odd.picture_url is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = [
    "id", "text", "created_at", "lang", "referenced_tweets", "note_tweet", "entities",
    "in_reply_to_user_id", "possibly_sensitive", "public_metrics", "edit_history_tweet_ids",
]  # fmt: skip


@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, max_size=4),
    JSON,
    st.dictionaries(st.sampled_from(["id", "username", "public_metrics", "created_at"]), JSON),
)
def test_no_answer_breaks_it(data: list[Any], meta: Any, user: dict[str, Any]) -> None:
    good = {"id": "12", "text": "fine"}
    page = page_of({"data": [*data, good], "meta": meta}, ME, since=None, until=None)
    assert page.rows.height + page.skipped == page.returned == len(data) + 1
    account_of({"data": user})
