"""Every format that people have: the same posts come in as the same rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.errors import InputRefused
from core.sources.detect import detect, open_source
from core.tweet import tweet_schema
from tests.fixtures import formats as made
from tests.fixtures.formats import BUILDERS, HANDLE, POSTS, Build, Post
from tests.oracles.corpus import tweets

REAL = Path(__file__).parents[2] / "../shared/data"
COMPARED = ["tweet_id", "created_at", "plain", "kind", "reply_to"]
# neither knows retweets; the name that a reply answers is no part of a Bluesky post
NO_RETWEETS = ("mastodon", "bluesky")


def read(path: Path, **options: Any) -> pl.DataFrame:
    return pl.concat(list(open_source(path, **options).batches()))


def rows(frame: pl.DataFrame, name: str) -> list[tuple[Any, ...]]:
    text = pl.col("text")
    unescaped = text.str.replace_many(["&lt;", "&gt;"], ["<", ">"]).str.replace_all(
        "&amp;", "&", literal=True
    )
    plain = pl.when("text_escaped").then(unescaped).otherwise(text)
    frame = frame.with_columns(plain=plain).sort("created_at", "tweet_id")
    if name == "bluesky":
        frame = frame.with_columns(reply_to=pl.lit(None))
    return frame.select(COMPARED).rows()


def expected(posts: list[Post], name: str) -> list[tuple[Any, ...]]:
    found = [
        (p.id, p.created, p.text, p.kind, None if name == "bluesky" else p.reply_to)
        for p in posts
        if name not in NO_RETWEETS or p.kind != "retweet"
    ]
    return sorted(found, key=lambda row: (row[1], row[0]))


@pytest.mark.parametrize(("name", "build"), BUILDERS, ids=lambda v: getattr(v, "__name__", v))
def test_equal_rows(tmp_path: Path, name: str, build: Build) -> None:
    posts = [p for p in POSTS if name not in NO_RETWEETS or p.kind != "retweet"]
    path = build(tmp_path, posts)
    found = detect(path.rename(tmp_path / "no-name-tells"))
    assert found.format == name
    handle = HANDLE if found.needs_handle or found.number else None
    frame = read(found.path, handle=handle)
    assert dict(frame.schema) == tweet_schema()
    assert rows(frame, name) == expected(POSTS, name)
    whose = f"{HANDLE}@gulls.example" if name == "mastodon" else HANDLE
    assert frame["handle"].unique().to_list() == [whose]
    assert frame["source"].unique().to_list() == [name]
    if name not in ("grailbird", "trump-archive"):
        assert frame["lang"].unique().to_list() == ["en"]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real tweets are not beside this checkout")
@pytest.mark.parametrize("file", ["nasa_2017_2018.csv", "potus_2021_2022.csv"])
def test_real_tweets_in_every_format(tmp_path: Path, file: str) -> None:
    posts = made.real_posts(REAL / file, 300)
    whole = {r[0]: r for r in rows(read(REAL / file), "csv")}
    for name, build in BUILDERS:
        some = [p for p in posts if name not in NO_RETWEETS or p.kind != "retweet"]
        if name == "mastodon":  # HTML has one kind of space
            some = [p for p in some if p.text == p.text.strip() and "\n\n\n" not in p.text]
        path = build(tmp_path, some)
        looks = detect(path)
        handle = posts[0].handle if looks.needs_handle or looks.number else None
        found = rows(read(path, handle=handle), name)
        assert found == expected(some, name), name
        if name not in NO_RETWEETS:
            assert {r[0]: r for r in found}.items() <= whole.items(), name


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
@pytest.mark.parametrize(("name", "build"), BUILDERS, ids=lambda v: getattr(v, "__name__", v))
def test_packed(tmp_path: Path, name: str, build: Build, pack: str) -> None:
    path = build(tmp_path, [p for p in POSTS if p.kind != "retweet"])
    if path.suffix in (".zip", ".gz", ".parquet"):
        pytest.skip("not packed again")
    plain = read(path, handle="a").drop("source_file")
    if pack == "zstd":
        data = pytest.importorskip("zstandard").ZstdCompressor().compress(path.read_bytes())
    else:
        data = gzip.compress(path.read_bytes())
    packed = tmp_path / "packed"
    packed.write_bytes(data)
    assert read(packed, handle="a").drop("source_file").equals(plain)
    packed.write_bytes(data[: len(data) * 3 // 4])  # a download that broke off
    try:
        source = open_source(packed, handle="a")
        part = pl.concat(list(source.batches()))
    except InputRefused:
        return
    assert part.height < plain.height or source.summary.warnings


_V1 = {"id_str": "1", "full_text": "hello", "user": {"screen_name": "Gull"}}
_V2: dict[str, Any] = {"id": "1", "text": "hello", "author_id": "7"}
_SCRAPED = {
    "_type": "snscrape.modules.twitter.Tweet", "id": 1, "rawContent": "hello",
    "user": {"username": "Gull"},
}  # fmt: skip
_NOTE_ID = "https://gulls.example/users/gull/statuses"


def _noted(**more: Any) -> dict[str, Any]:
    public = "https://www.w3.org/ns/activitystreams#Public"
    note = {"type": "Note", "id": f"{_NOTE_ID}/1", "content": "<p>hello</p>", "to": [public],
            "attributedTo": "https://gulls.example/users/gull", **more}  # fmt: skip
    return {"type": "Create", "to": [public], "object": note}


_SKY = "at://did:plc:tern/app.bsky.feed"


def _skeeted(more: dict[str, Any]) -> dict[str, Any]:
    record = {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": "2024-01-01T00:00:00Z"}
    author = {"handle": "gull.example"}
    return {"uri": f"{_SKY}.post/3ka", "author": author, "record": record | more}


@pytest.mark.parametrize(
    ("line", "reply", "quoted", "conversation", "shown"),
    [
        ({**_V1, "in_reply_to_status_id_str": "9"}, "9", None, None, None),
        ({**_V1, "quoted_status_id_str": "12", "is_quote_status": True}, None, "12", None, None),
        ({**_V1, "quoted_status": {"id_str": "13"}}, None, "13", None, None),
        ({**_V1, "extended_entities": {"media": [{"ext_alt_text": "Chips"}]}},
         None, None, None, "Chips"),
        ({"data": [{**_V2, "conversation_id": "5", "attachments": {"media_keys": ["3_1", "3_2"]},
                    "referenced_tweets": [{"type": "replied_to", "id": "9"},
                                          {"type": "quoted", "id": "12"}]}],
          "includes": {"users": [{"id": "7", "username": "Gull"}],
                       "media": [{"media_key": "3_1", "alt_text": "Chips"}]}},
         "9", "12", "5", "Chips"),
        ({**_V2, "author": {"id": "7", "username": "Gull"}, "conversation_id": "5",
          "attachments": {"media": [{"media_key": "3_1", "alt_text": "Chips"}]}},
         None, None, "5", "Chips"),
        ({**_SCRAPED, "id_str": "1", "inReplyToTweetIdStr": "9", "conversationIdStr": "5",
          "quotedTweet": {"id_str": "12", "id": 12}}, "9", "12", "5", None),
        ({**_SCRAPED, "inReplyToTweetId": 9, "conversationId": 5, "quotedTweet": {"id": 12}},
         "9", "12", "5", None),
        (_noted(inReplyTo=f"{_NOTE_ID}/9", attachment=[{"name": "Chips"}, {"name": None}, 7]),
         "9", None, None, "Chips"),
        (_noted(inReplyTo="https://terns.example/users/tern/statuses/9"), None, None, None, None),
        ({"tweet_id": "1", "account_id": "7", "username": "gull", "full_text": "hello",
          "reply_to_tweet_id": "9"}, "9", None, None, None),
        (_skeeted({"reply": {"parent": {"uri": f"{_SKY}.post/3kp"},
                             "root": {"uri": f"{_SKY}.post/3kr"}},
                   "embed": {"$type": "app.bsky.embed.images",
                             "images": [{"alt": "Chips"}, {"alt": ""}, {"alt": "A  pier"}, 7]}}),
         "3kp", None, "3kr", "Chips\nA pier"),
        (_skeeted({"embed": {"$type": "app.bsky.embed.recordWithMedia",
                             "record": {"record": {"uri": f"{_SKY}.post/3kq"}},
                             "media": {"$type": "app.bsky.embed.video", "alt": "Chips"}}}),
         None, "3kq", None, "Chips"),
        (_skeeted({"reply": {"parent": {"uri": 7}}, "embed": {"$type": "app.bsky.embed.record",
                   "record": {"uri": "at://did:plc:x/app.bsky.graph.list/3kz"}}}),
         None, None, None, None),
    ],
)  # fmt: skip
def test_what_a_tweet_answers_quotes_and_shows(
    tmp_path: Path, line: dict[str, Any], reply: Any, quoted: Any, conversation: Any, shown: Any
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(line) + "\n")
    frame = read(path)
    found = frame.select("reply_to_id", "quoted_id", "conversation_id", "alt_text").rows()
    assert found == [(reply, quoted, conversation, shown)]


def test_a_bluesky_repository_names_what_a_post_answers(tmp_path: Path) -> None:
    post = made.bluesky(POSTS[0])
    link = {"uri": f"{_SKY}.post/3kp"}
    reply = {**post, "reply": {"parent": link, "root": {"uri": f"{_SKY}.post/3kr"}}}
    path = tmp_path / "repo.car"
    path.write_bytes(made.car_of({"app.bsky.feed.post/3ka": reply}))
    frame = read(path)
    found = frame.select("kind", "reply_to_id", "conversation_id", "quoted_id").rows()
    assert found == [("reply", "3kp", "3kr", None)]


def test_a_tweet_of_before_2018_names_what_it_answers(tmp_path: Path) -> None:
    path = made.grailbird(tmp_path, POSTS)
    found = read(path).filter(pl.col("kind") == "reply")
    assert found.height
    assert found["reply_to_id"].null_count() == 0


def test_private_things_stay_out(tmp_path: Path) -> None:
    box = made.outbox([p for p in POSTS if p.kind != "retweet"])
    items = box["orderedItems"]
    me = "https://gulls.example/users/harbour_gull"
    private: list[dict[str, Any]] = []
    for to in ([f"{me}/followers"], ["https://gulls.example/users/tern"], []):
        secret = json.loads(json.dumps(items[0]))
        for thing in (secret, secret["object"]):
            thing["to"], thing["cc"] = to, []
        secret["object"]["content"] = "<p>a secret</p>"
        private.append(secret)
    hidden = json.loads(json.dumps(items[0]))  # the note says it, whatever the activity says
    hidden["object"]["to"], hidden["object"]["cc"] = [f"{me}/followers"], []
    hidden["object"]["content"] = "<p>a secret</p>"
    boost = {"type": "Announce", "object": "https://gulls.example/1", "to": items[0]["to"]}
    box["orderedItems"] = [*private, hidden, boost, *items]
    path = tmp_path / "outbox.json"
    path.write_text(json.dumps(box))
    source = open_source(path)
    frame = pl.concat(list(source.batches()))
    assert "secret" not in "".join(frame["text"])
    assert source.summary.skipped == {"followers_only": 2, "direct_message": 2, "boost": 1}
    protected = made.v1(POSTS[0])
    protected["user"]["protected"] = True
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(json.dumps(i) for i in (protected, made.v1(POSTS[1]))))
    source = open_source(path)
    assert pl.concat(list(source.batches())).height == 1
    assert source.summary.skipped == {"protected": 1}


def test_deleted_tweets_only_when_named(tmp_path: Path) -> None:
    path = made.trump_csv(tmp_path, POSTS)
    text = path.read_text().replace(",f,f,Twitter", ",f,t,Twitter", 1)
    path.write_text(text)
    source = open_source(path, handle="a")
    frame = pl.concat(list(source.batches()))
    assert (frame.height, source.summary.skipped) == (len(POSTS) - 1, {"deleted": 1})
    frame = read(path, handle="a", include=frozenset({"deleted"}))
    assert sorted(frame["audience"].unique()) == ["deleted", "public"]


def test_typed_retweets_are_the_persons_own(tmp_path: Path) -> None:
    typed = Post("5", "RT @tern: typed by hand", made.START)
    for build in (made.grailbird, made.grailbird_csv, made.twarc_v1, made.snscrape):
        frame = read(build(tmp_path, [typed]), handle=HANDLE)
        assert frame["kind"].to_list() == ["manual_retweet"]


def test_long_text_wins_where_a_tweet_is_cut(tmp_path: Path) -> None:
    long = "word " * 80
    first = made.v1(POSTS[0]) | {"text": "cut…", "truncated": True}
    first["extended_tweet"] = {"full_text": long}
    del first["full_text"]
    second = made.v2(POSTS[0]) | {"note_tweet": {"text": long}, "author": {"username": "a"}}
    for item in (first, second):
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps(item))
        assert read(path)["text"].to_list() == [long]


def test_the_api_of_2026(tmp_path: Path) -> None:
    item = {"id": "1", "text": "cut", "note_post": {"text": "not cut"}, "author_id": "1",
            "referenced_posts": [{"type": "quoted", "id": "2"}], "edit_history_post_ids": ["1"],
            "author": {"username": "a"}}  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(item))
    assert detect(path).format == "twarc-v2"
    assert read(path).select("text", "kind").row(0) == ("not cut", "quote")


def test_mastodon_links_are_whole(tmp_path: Path) -> None:
    content = (
        '<p>see <a href="https://example.com/a/long/way" rel="nofollow"><span class="invisible">'
        'https://</span><span class="ellipsis">example.com/a/lo</span><span class="invisible">ng/'
        'way</span></a> <span class="h-card"><a href="https://x.example/@tern" class="u-url '
        'mention">@<span>tern</span></a></span> &amp; &lt;b&gt;</p><script>evil()</script>'
    )
    item = made.note(POSTS[0])
    item["object"]["content"] = content
    item["object"]["contentMap"] = {"de": content}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"type": "OrderedCollection", "orderedItems": [item]}))
    frame = read(path)
    assert frame["text"].to_list() == ["see https://example.com/a/long/way @tern & <b>"]
    assert frame["lang"].to_list() == ["de"]
    assert json.loads(frame["urls"][0])[0]["expanded_url"] == "https://example.com/a/long/way"


def test_accounts_are_told(tmp_path: Path) -> None:
    plain = [p for p in POSTS if p.kind != "retweet"]
    for build, handle, name in (
        (made.mastodon_tar, "harbour_gull@gulls.example", "A Gull"),
        (made.grailbird, HANDLE, "A Gull"),
        (made.bluesky_car, "gull.example", "A Gull"),
    ):
        path = build(tmp_path, plain)
        given = "gull.example" if build is made.bluesky_car else None
        source = open_source(path, handle=given)
        list(source.batches())
        assert [(a.handle, a.name) for a in source.accounts] == [(handle, name)]


def test_a_repository_names_its_account_as_well_as_it_can(tmp_path: Path) -> None:
    path = made.bluesky_car(tmp_path, [p for p in POSTS if p.kind != "retweet"])
    found = detect(path)
    assert (found.handle, found.needs_handle, found.number) == ("did-plc-gull", False, True)
    assert any("did:plc:gull" in line and "--handle" in line for line in found.lines())
    corpus = Corpus(tmp_path / "c.duckdb")
    (result,) = import_path(corpus, path)
    assert (result.handle, result.new) == ("did-plc-gull", len(POSTS) - 1)
    assert any("--handle" in warning for warning in result.warnings)
    (named,) = import_path(corpus, path, handle="gull.example")
    assert (named.handle, named.warnings) == ("gull.example", [])
    records: dict[str, Any] = {
        "app.bsky.feed.post/1": made.bluesky(POSTS[0]),
        "app.bsky.actor.profile/self": {
            "$type": "app.bsky.actor.profile", "handle": "Gull.Bsky.Social", "displayName": "A Gull"
        },
    }  # fmt: skip
    path.write_bytes(made.car_of(records, []))
    source = open_source(path)
    assert read(path)["handle"].unique().to_list() == ["gull.bsky.social"]
    assert (source.summary.handle, source.summary.warnings) == ("gull.bsky.social", [])
    assert source.accounts[0].name == "A Gull"
    records["app.bsky.actor.profile/self"]["handle"] = "no handle\x1b[31m"
    path.write_bytes(made.car_of(records, []))
    assert detect(path).handle == "did-plc-gull"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"did:plc:gull", b"did:plc:GULL"))  # a commit that is damaged
    with pytest.raises(InputRefused, match="--handle"):
        open_source(path)


def test_a_damaged_block_of_a_repository(tmp_path: Path) -> None:
    path = made.bluesky_car(tmp_path, [p for p in POSTS if p.kind != "retweet"])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"all of us", b"all of US"))
    source = open_source(path, handle="a")
    frame = pl.concat(list(source.batches()))
    assert frame.height == len(POSTS) - 2
    assert source.summary.skipped == {"bad_block": 1, "deleted": 1}


def test_one_row_whatever_the_source(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "c.duckdb")
    names = ["x-archive", "twarc-v1", "snscrape", "csv"]
    for name in names:
        import_path(corpus, made.FORMATS[name][0](tmp_path, POSTS))
    assert tweets(corpus, [HANDLE]).height == len(POSTS)
    with corpus.reading() as connection:
        found = connection.execute("SELECT DISTINCT sources FROM tweets").fetchall()
    assert found == [(names,)]
