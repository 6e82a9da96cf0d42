"""The X archive: what is read, what is left out, how edits and long posts come together."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import InputRefused
from core.sources.detect import detect, open_source
from core.sources.source import SourceSummary
from core.tweet import tweet_schema
from tests.fixtures.x_archive import (
    ACCOUNT,
    archive_files,
    as_folder,
    as_zip,
    manifest,
    note,
    script,
    tweet,
)

LONG = "The fog came in & sat down. " + "It would not say for how long it meant to stay. " * 8


def read(path: Path, **options: Any) -> tuple[pl.DataFrame, SourceSummary]:
    source = open_source(path, **options)
    frames = list(source.batches())
    return pl.concat(frames), source.summary


def test_zip_and_folder_give_the_same_rows(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "one &amp; only"), tweet(2, "two")])
    zipped, summary = read(as_zip(tmp_path / "a.zip", files))
    unpacked, _ = read(as_folder(tmp_path / "b", files))
    assert zipped.equals(unpacked)
    assert dict(zipped.schema) == tweet_schema()
    assert zipped["text"].to_list() == ["one &amp; only", "two"]
    assert zipped["text_escaped"].all()
    assert zipped["source"].unique().to_list() == ["x-archive"]
    assert summary.read == 2
    assert summary.span is not None
    assert summary.span[0].isoformat() == "2023-02-18T12:33:11+00:00"


def test_account_is_known_and_the_address_is_nowhere(tmp_path: Path) -> None:
    source = open_source(as_zip(tmp_path / "a.zip", archive_files([tweet(1, "hello you")])))
    frame = pl.concat(list(source.batches()))
    account = source.accounts[0]
    assert (account.handle, account.name, account.account_id, account.bio) == (
        "harbour_gull",
        "A Gull",
        "4242",
        "Chips.",
    )
    assert account.created is not None
    assert ACCOUNT["email"] not in repr(account) + repr(source.summary) + frame.write_json()


def test_manifest_gives_the_owner_when_account_js_is_missing(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "a")], manifest=manifest(tweets=1))
    del files["data/account.js"]
    assert open_source(as_zip(tmp_path / "a.zip", files)).accounts[0].handle == "harbour_gull"


def test_no_owner_asks_for_a_handle(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", {"data/tweets.js": script("tweets", [tweet(1, "a")])})
    with pytest.raises(InputRefused, match="--handle"):
        open_source(path)
    assert detect(path).needs_handle
    assert read(path, handle="@Me")[0]["handle"].to_list() == ["me"]


@pytest.mark.parametrize(
    ("text", "more", "kind", "reply_to"),
    [
        ("hello", {}, "original", None),
        ("RT @other: hello", {}, "retweet", None),
        ("RT @other hello", {}, "retweet", None),
        ("RT to spread the word", {}, "original", None),
        ("@Other yes", {"in_reply_to_status_id_str": "9"}, "reply", "other"),
        ("yes", {"in_reply_to_screen_name": "Other"}, "reply", "other"),
        ("@other said so", {}, "original", None),
        (
            "look https://t.co/a",
            {"entities": {"urls": [{"url": "https://t.co/a",
                                    "expanded_url": "https://x.com/other/status/12?s=20"}]}},
            "quote",
            None,
        ),
        (
            "look https://t.co/a",
            {"entities": {"urls": [{"url": "https://t.co/a",
                                    "expanded_url": "https://news.example/status/12"}]}},
            "original",
            None,
        ),
    ],
)  # fmt: skip
def test_kinds(
    tmp_path: Path, text: str, more: dict[str, Any], kind: str, reply_to: str | None
) -> None:
    frame, _ = read(as_zip(tmp_path / "a.zip", archive_files([tweet(1, text, **more)])))
    assert frame.select("kind", "reply_to").row(0) == (kind, reply_to)


def test_what_a_tweet_answers_quotes_and_shows(tmp_path: Path) -> None:
    quoted = {"url": "https://t.co/a", "expanded_url": "https://x.com/other/status/12?s=20"}
    media = [{"ext_alt_text": "A gull\non a roof"}, {"type": "photo"}, {"ext_alt_text": "Chips"}]
    entries = [
        tweet(1, "@Other yes", in_reply_to_status_id_str="9", in_reply_to_screen_name="Other"),
        tweet(2, "so true https://t.co/a", entities={"urls": [quoted]}),
        tweet(3, "https://t.co/a is wrong, I think", entities={"urls": [quoted]}),
        tweet(4, "look", extended_entities={"media": media}),
        tweet(5, "nothing", extended_entities={"media": [{"type": "photo"}]}),
    ]
    frame, _ = read(as_zip(tmp_path / "a.zip", archive_files(entries)))
    assert frame.select("tweet_id", "kind", "reply_to_id", "quoted_id", "alt_text").rows() == [
        ("1", "reply", "9", None, None),
        ("2", "quote", None, "12", None),
        ("3", "quote", None, None, None),
        ("4", "original", None, None, "A gull on a roof\nChips"),
        ("5", "original", None, None, None),
    ]
    assert frame["conversation_id"].null_count() == frame.height


def test_a_large_list_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    files = archive_files([])
    entries = [tweet(n, f"the gull 🐦 number {n}", source="🐦" * 4_000) for n in range(1, 1_501)]
    files["data/tweets.js"] = script("tweets", entries)
    size = len(files["data/tweets.js"].encode())
    path = as_zip(tmp_path / "a.zip", dict(files))
    del entries, files
    list(open_source(path).batches())  # what is set up once counts nowhere
    tracemalloc.start()
    try:
        found = pl.concat(list(open_source(path).batches()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.height == 1_500
    assert peak < size


def test_links_are_kept_as_json(tmp_path: Path) -> None:
    link = {"url": "https://t.co/a", "expanded_url": "https://a.example/é", "indices": ["0", "1"]}
    files = archive_files([tweet(1, "https://t.co/a", entities={"urls": [link, "junk", {}]})])
    frame, _ = read(as_zip(tmp_path / "a.zip", files))
    assert json.loads(frame["urls"][0]) == [
        {"url": "https://t.co/a", "expanded_url": "https://a.example/é"}
    ]


def test_old_archive_without_wrapper(tmp_path: Path) -> None:
    files = {
        "data/account.js": script("account", [{"account": ACCOUNT}]),
        "data/tweet.js": script("tweet", [tweet(1, "older")["tweet"]]),
    }
    assert read(as_folder(tmp_path / "a", files))[0]["text"].to_list() == ["older"]


def test_a_lone_tweets_js_reads_its_folder(tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "a", archive_files([tweet(1, "alone")]))
    assert read(folder / "data" / "tweets.js")[0].height == 1
    with pytest.raises(InputRefused, match="not the one with the tweets"):
        detect(folder / "data" / "account.js")


def test_parts_in_order_and_counts_checked(tmp_path: Path) -> None:
    files = archive_files(
        [tweet(1, "a")],
        tweets_part1=script("tweets", [tweet(2, "b")], 1),
        tweets_part10=script("tweets", [tweet(4, "d")], 10),
        tweets_part2=script("tweets", [tweet(3, "c")], 2),
        manifest=manifest(tweets=1, tweets_part1=5, tweets_part3=1),
    )
    frame, summary = read(as_zip(tmp_path / "a.zip", files))
    assert frame["tweet_id"].to_list() == ["1", "2", "3", "4"]
    warnings = " ".join(summary.warnings)
    assert "tweets-part1.js holds 1 tweets; the archive's own list says 5" in warnings
    assert "tweets-part3.js, but it is missing" in warnings


def test_wrapped_in_a_folder_and_by_macos(tmp_path: Path) -> None:
    files = {f"twitter-2023/{k}": v for k, v in archive_files([tweet(1, "a")]).items()}
    files["__MACOSX/data/tweets.js"] = "\x00\x05"
    assert read(as_zip(tmp_path / "a.zip", files))[0].height == 1


def test_deleted_and_circle_only_when_asked(tmp_path: Path) -> None:
    files = archive_files(
        [tweet(1, "a")],
        deleted_tweets=script("deleted_tweets", [tweet(2, "gone")]),
        twitter_circle_tweet=script("twitter_circle_tweet", [tweet(3, "for few")]),
        like=script("like", [{"like": {"tweetId": "4", "fullText": "not mine"}}]),
        direct_messages=script("direct_messages", [{"dmConversation": {}}]),
    )
    path = as_zip(tmp_path / "a.zip", files)
    frame, summary = read(path)
    assert frame["tweet_id"].to_list() == ["1"]
    assert summary.skipped == {"deleted": 1, "circle": 1}
    assert summary.read == 3
    frame, summary = read(path, include=frozenset({"deleted", "circle"}))
    assert dict(frame.select("tweet_id", "audience").iter_rows()) == {
        "1": "public",
        "2": "deleted",
        "3": "circle",
    }
    assert summary.skipped == {}


def test_posts_in_communities_are_the_persons_own(tmp_path: Path) -> None:
    more = {"community_id_str": "77", "scopes": {"followers": False}}
    files = archive_files(
        [tweet(1, "a")], community_tweet=script("community_tweet", [tweet(2, "to all", **more)])
    )
    path = as_zip(tmp_path / "a.zip", dict(files))
    frame, summary = read(path)
    assert dict(frame.select("tweet_id", "audience").iter_rows()) == {
        "1": "public",
        "2": "community",
    }
    assert (summary.read, summary.skipped) == (2, {})
    assert "Posts in communities come in too." in detect(path).lines()
    parts = {name: json.loads(files[f"data/{name}.js"].split("=", 1)[1])
             for name in ("account", "profile", "tweets", "community-tweet")}  # fmt: skip
    (tmp_path / "archive.json").write_text(json.dumps(parts))
    same, _ = read(tmp_path / "archive.json")
    assert same["audience"].to_list() == ["public", "community"]


def test_only_the_last_edit_is_kept(tmp_path: Path) -> None:
    first = {"edit_info": {"initial": {"editTweetIds": ["10", "11", "12"]}}}
    second = {"edit_info": {"edit": {"initialTweetId": "10",
              "editControlInitial": {"editTweetIds": ["10", "11", "12"]}}}}  # fmt: skip
    third = {"edit_info": {"edit": {"initialTweetId": "10"}}}
    alone = {"edit_info": {"initial": {"editTweetIds": ["20"]}}}
    lost = {"edit_info": {"initial": {"editTweetIds": ["30", "31"]}}}  # 31 is not in the archive
    entries = [
        tweet(12, "the", **third),
        tweet(10, "teh", **first),
        tweet(11, "hte", **second),
        tweet(20, "x", **alone),
        tweet(30, "y", **lost),
    ]
    frame, summary = read(as_zip(tmp_path / "a.zip", archive_files(entries)))
    assert frame["tweet_id"].to_list() == ["12", "20", "30"]
    assert summary.skipped == {"superseded_edit": 2}
    assert summary.read == 5


def test_note_replaces_the_text_of_its_tweet_once(tmp_path: Path) -> None:
    shown = LONG[:200].replace("&", "&amp;") + "… https://t.co/abcdefghij"
    late = {"created_at": "Sat Feb 18 12:33:15 +0000 2023"}
    entries = [
        tweet(1, "something else at the very same time, and long enough to compare"),
        tweet(2, shown),
        tweet(3, shown),  # the same words at the same time: only one may have the note
        tweet(4, shown, **late),
        tweet(5, f"RT @harbour_gull: {shown}"[:140]),
    ]
    frame, summary = read(as_zip(tmp_path / "a.zip", archive_files(entries, notes=[note(9, LONG)])))
    joined = frame.filter(pl.col("note_id").is_not_null())
    assert joined.height == summary.notes_joined == 1
    row = joined.row(0, named=True)
    assert (row["tweet_id"], row["text"], row["text_escaped"]) == ("2", LONG, False)
    assert frame.filter(pl.col("note_id").is_null())["text_escaped"].all()


def test_note_that_fits_nothing_is_reported(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "short")], notes=[note(9, LONG), {"noteTweet": {}}])
    _, summary = read(as_zip(tmp_path / "a.zip", files))
    assert summary.notes_joined == 0
    assert any("belong to no tweet" in w for w in summary.warnings)
    assert any("incomplete" in w for w in summary.warnings)


def test_odd_values(tmp_path: Path) -> None:
    entries: list[Any] = [
        tweet(1, "half \ud83d a pair", created_at="nonsense"),
        tweet(7082 << 22, "dated by its id", created_at=None),
        tweet(3, "nul \x00 inside", favorite_count="many", lang=None, entities=[]),
        {"tweet": {"full_text": "no id"}},
        tweet(5, ""),
        {"tweet": 7},
        "junk",
    ]
    files = archive_files([])
    files["data/tweets.js"] = f"window.YTD.tweets.part0 = {json.dumps(entries)};\n"
    frame, summary = read(as_zip(tmp_path / "a.zip", files))
    assert frame["text"].to_list() == ["half � a pair", "dated by its id", "nul \x00 inside"]
    assert frame["created_at"][0] is None
    assert frame["created_at"][1].isoformat() == "2010-11-04T01:43:01.739000+00:00"
    assert summary.skipped == {"no_id": 1, "no_text": 1, "not_a_tweet": 2}
    assert summary.read == 7


@pytest.mark.parametrize("opening", ["window.YTD.tweets.part0 = [ {", "﻿window.YTD.tweet.part0=[{"])
def test_list_may_begin_on_the_first_line(tmp_path: Path, opening: str) -> None:
    files = archive_files([])
    files["data/tweets.js"] = opening + '"tweet":{"id_str":"1","full_text":"x"}}\n]\n;'
    assert read(as_zip(tmp_path / "a.zip", files))[0].height == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("window.YTD.tweets.part0 = [\n {\n  x\n", "line 3, column 3"),
        ('window.YTD.tweets.part0 = [{"a":1} {"b":2}]', "line 1, column 36"),
        ('window.YTD.tweets.part0 = [{"a":1},', "too early"),
        ("window.YTD.tweets.part0 = ", "too early"),
        ("window.YTD.tweets.part0 = {}", "not hold a list"),
        ("no assignment", "not a file of an X archive"),
        ("", "empty"),
        ("window.YTD.tweets.part0 = []", "no tweets"),
        ("window.YTD.tweets.part0 = " + "[" * 100_000, "line 1"),
        ("window.YTD.tweets.part0 = [" + "9" * 5000 + "]", "line 1"),
    ],
)
def test_broken_lists_say_where(tmp_path: Path, text: str, words: str) -> None:
    files = archive_files([])
    files["data/tweets.js"] = text
    with pytest.raises(InputRefused) as refused:
        read(as_zip(tmp_path / "a.zip", files))
    if len(text) < 5000:
        assert words in str(refused.value)
    assert "tweets.js" in str(refused.value) or "There are no tweets" in str(refused.value)


def test_not_utf8_names_the_byte(tmp_path: Path) -> None:
    files: dict[str, Any] = dict(archive_files([]))
    files["data/tweets.js"] = b"window.YTD.tweets.part0 = [\n\xff"
    with pytest.raises(InputRefused, match=r"byte 28, in line 2"):
        read(as_zip(tmp_path / "a.zip", files))


def test_broken_profile_is_only_a_warning(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "a")])
    files["data/profile.js"] = "window.YTD.profile.part0 = [ {"
    frame, summary = read(as_zip(tmp_path / "a.zip", files))
    assert frame.height == 1
    assert "profile.js" in summary.warnings[0]


def test_detect_says_what_it_is(tmp_path: Path) -> None:
    files = archive_files([tweet(1, "a")], manifest=manifest(tweets=1))
    found = detect(as_zip(tmp_path / "whatever.bin", files))
    assert (found.format, found.handle, found.needs_handle) == ("x-archive", "harbour_gull", False)
    assert found.lines()[:2] == ["X archive of @harbour_gull (A Gull)", "1 tweets"]
