"""The fake X API itself: what other tests lean on must be as X documents it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.tweet import snowflake_time
from tests.fakes.x_api import FULL, OWNER, WALKER, FakeX, Plan, World, make_world
from tests.fakes.x_api.asking import ask, ids, tweets_path, walk

EVERYTHING = (
    "created_at,lang,referenced_tweets,note_tweet,entities,in_reply_to_user_id,conversation_id,"
    "edit_controls,display_text_range,possibly_sensitive,public_metrics,author_id,attachments"
)


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with FakeX("small") as running:
        yield running


@pytest.fixture(scope="module")
def full_world() -> World:
    return make_world("full")


# -- lookups ----------------------------------------------------------------------------------


def test_lookup_gives_only_the_defaults_unless_asked(fake: FakeX) -> None:
    path = f"/2/users/by/username/{WALKER.upper()}"
    plain = ask(fake, path).body["data"]
    assert set(plain) == {"id", "name", "username"}
    assert plain["username"] == WALKER
    asked = ask(fake, path, user__fields="protected,public_metrics,parody,profile_image_url")
    assert asked.body["data"]["public_metrics"]["tweet_count"] == 130
    assert asked.body["data"]["protected"] is False
    by_id = ask(fake, f"/2/users/{plain['id']}").body["data"]
    assert by_id == plain


def test_parody_accounts_say_so(fake: FakeX) -> None:
    path = "/2/users/by/username/not_really_the_walker"
    assert ask(fake, path, user__fields="parody").body["data"]["parody"] is True


@pytest.mark.parametrize(
    ("username", "title", "detail", "kind"),
    [
        ("no_one_at_all", "Not Found Error", "Could not find user", "resource-not-found"),
        ("closed_by_the_moderators", "Forbidden", "suspended", "resource-not-found"),
        ("teller_of_older_names", "Not Found Error", "Could not find user", "resource-not-found"),
    ],
)
def test_missing_users_are_200_with_errors_and_cost_nothing(
    fake: FakeX, username: str, title: str, detail: str, kind: str
) -> None:
    reply = ask(fake, f"/2/users/by/username/{username}")
    assert reply.status == 200
    assert "data" not in reply.body
    (error,) = reply.body["errors"]
    assert error["title"] == title
    assert detail in error["detail"]
    assert (error["resource_type"], error["parameter"]) == ("user", "username")
    assert error["value"] == error["resource_id"] == username
    assert error["type"] == f"https://api.x.com/2/problems/{kind}"
    assert fake.ledger()["cost_usd"] == 0


def test_a_renamed_account_keeps_its_id() -> None:
    with FakeX("small") as fake:
        account = fake.account("keeper_of_few_words")
        fake.rename("keeper_of_few_words", "short_no_more")
        assert ask(fake, "/2/users/by/username/short_no_more").body["data"]["id"] == str(account.id)
        assert ask(fake, f"/2/users/{account.id}").body["data"]["username"] == "short_no_more"
        assert len(ids(*walk(fake, "short_no_more"))) == 12


def test_protected_posts_are_refused_to_all_but_their_author(fake: FakeX) -> None:
    path = "/2/users/by/username/behind_the_garden_gate"
    assert ask(fake, path, user__fields="protected").body["data"]["protected"] is True
    reply = ask(fake, tweets_path(fake, "behind_the_garden_gate"))
    assert reply.status == 200
    (error,) = reply.body["errors"]
    assert error["title"] == "Authorization Error"
    assert error["type"].endswith("/not-authorized-for-resource")
    fake.account("cousin_of_the_tide").protected = True
    own = ask(fake, tweets_path(fake, "cousin_of_the_tide"), fake.reader_token)
    assert len(own.body["data"]) == 10


def test_me_needs_a_person(fake: FakeX) -> None:
    assert ask(fake, "/2/users/me", fake.owner_token).body["data"]["username"] == OWNER
    reply = ask(fake, "/2/users/me")
    assert reply.status == 403
    assert reply.body["type"].endswith("/unsupported-authentication")


@pytest.mark.parametrize("token", ["", "wrong", "AAAAAAAAAAAAAAAAAAAAAMynahFakeAppTokeM"])
def test_no_token_or_a_wrong_one_is_401(fake: FakeX, token: str) -> None:
    reply = ask(fake, f"/2/users/by/username/{WALKER}", token)
    assert reply.status == 401
    assert (reply.body["title"], reply.body["type"]) == ("Unauthorized", "about:blank")


def test_unknown_addresses_are_404_without_a_body(fake: FakeX) -> None:
    for path in ("/2/usage/credits", "/2/nothing", "/1.1/statuses/user_timeline.json"):
        reply = ask(fake, path)
        assert (reply.status, reply.body) == (404, "")


# -- pages --------------------------------------------------------------------------------------


def test_the_window_is_3200_posts_newest_first(full_world: World) -> None:
    with FakeX(full_world) as fake:
        pages = walk(fake)
        found = ids(*pages)
        account = fake.account(WALKER)
        assert len(account.live()) == 3400
        assert found == [post.id for post in account.live()[:3200]]
        assert fake.ledger()["posts"] == 3200
        counts = [page["meta"]["result_count"] for page in pages]
        assert 0 in counts[1:-1], "a page in the middle is empty, and has a next_token"
        assert any(0 < count < 100 for count in counts[:-1]), "and some are short"
        assert all(set(page["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
                   for page in pages if "data" in page)  # fmt: skip


def test_since_id_older_than_the_window_is_moved_in_silence(full_world: World) -> None:
    with FakeX(full_world) as fake:
        live = fake.account(WALKER).live()
        assert len(ids(*walk(fake, since_id=live[-1].id))) == 3200
        assert ids(*walk(fake, since_id=live[7].id)) == [post.id for post in live[:7]]


def test_excluding_replies_leaves_800_to_choose_from(full_world: World) -> None:
    with FakeX(full_world) as fake:
        newest = fake.account(WALKER).live()[:800]
        expected = [post.id for post in newest if post.reply_to_user_id is None]
        assert ids(*walk(fake, exclude="replies")) == expected
        without_retweets = walk(fake, exclude="retweets")
        newest = fake.account(WALKER).live()[:3200]
        assert len(ids(*without_retweets)) == sum(post.retweet_of is None for post in newest)


def test_an_account_of_retweets_only_gives_empty_pages_with_tokens(fake: FakeX) -> None:
    pages = walk(fake, "only_repeats_the_others", exclude="retweets,replies", max_results=50)
    assert [page["meta"]["result_count"] for page in pages] == [0, 0, 0]
    assert all("data" not in page for page in pages)


def test_an_empty_timeline_is_meta_alone(fake: FakeX) -> None:
    reply = ask(fake, tweets_path(fake, "nobody_has_written_yet"))
    assert reply.body == {"meta": {"result_count": 0}}


def test_tokens_go_forward_and_back(fake: FakeX) -> None:
    path = tweets_path(fake)
    first = ask(fake, path, max_results=20).body
    assert "previous_token" not in first["meta"]
    assert first["meta"]["newest_id"] == first["data"][0]["id"]
    assert first["meta"]["oldest_id"] == first["data"][-1]["id"]
    second = ask(fake, path, max_results=20, pagination_token=first["meta"]["next_token"]).body
    assert not set(ids(first)) & set(ids(second))
    back = ask(fake, path, max_results=20, pagination_token=second["meta"]["previous_token"]).body
    assert ids(back) == ids(first)
    token = first["meta"]["next_token"]
    other = ask(fake, tweets_path(fake, OWNER), pagination_token=token)
    assert other.status == 400, "a token belongs to one user"


def test_times_and_ids_bound_the_timeline(fake: FakeX) -> None:
    live = fake.account(WALKER).live()
    newer, older = live[10], live[20]

    def second(post: Any) -> str:
        return post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    between = walk(fake, start_time=second(older), end_time=second(newer))
    assert ids(*between) == [post.id for post in live[10:21]], "both ends belong"
    between = walk(fake, since_id=older.id, until_id=newer.id)
    assert ids(*between) == [post.id for post in live[11:20]], "neither end belongs"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"max_results": 4}, "is not between 5 and 100"),
        ({"max_results": 101}, "is not between 5 and 100"),
        ({"max_results": "many"}, "max_results"),
        ({"since_id": "-3"}, "since_id"),
        ({"until_id": "12345678901234567890"}, "until_id"),
        ({"start_time": "2020-01-01"}, "start_time"),
        ({"start_time": "2009-01-01T00:00:00Z"}, "2010-11-06"),
        ({"start_time": "2024-01-01T00:00:00Z", "end_time": "2023-01-01T00:00:00Z"}, "end_time"),
        ({"tweet__fields": "id,shoe_size"}, "[shoe_size] is not one of"),
        ({"expansions": "everything"}, "expansions"),
        ({"exclude": "quotes"}, "exclude"),
        ({"pagination_token": "7140dibdnow9c7btw3"}, "pagination_token"),
        ({"page": 2}, "[page] is not one of"),
    ],
)
def test_wrong_parameters_are_400(fake: FakeX, query: dict[str, Any], words: str) -> None:
    reply = ask(fake, tweets_path(fake), **query)
    assert reply.status == 400
    assert reply.body["title"] == "Invalid Request"
    assert reply.body["type"].endswith("/invalid-request")
    assert words in reply.body["errors"][0]["message"]
    assert fake.ledger()["cost_usd"] == 0
    assert "x-rate-limit-remaining" in reply.headers


def test_ids_and_usernames_have_a_shape(fake: FakeX) -> None:
    assert ask(fake, "/2/users/walker/tweets").status == 400
    assert ask(fake, "/2/users/by/username/not-a-handle").status == 400


def test_either_spelling_of_fields_or_only_one() -> None:
    wanted = "created_at,referenced_tweets"
    with FakeX("small") as fake:
        one = ask(fake, tweets_path(fake), tweet__fields=wanted).body
        assert one == ask(fake, tweets_path(fake), post__fields=wanted).body
        post_words = walk(fake, post__fields="referenced_posts")
        assert any("referenced_posts" in post for post in post_words[0]["data"])
    with FakeX("small", spelling="post") as fake:
        refused = ask(fake, tweets_path(fake), tweet__fields=wanted)
        assert refused.status == 400
        assert "tweet.fields" in refused.body["errors"][0]["message"]
        assert ask(fake, tweets_path(fake), post__fields=wanted).body == one


# -- posts --------------------------------------------------------------------------------------


def test_every_kind_of_post_is_there(full_world: World) -> None:
    with FakeX(full_world) as fake:
        pages = walk(fake, tweet__fields=EVERYTHING)
        posts = [post for page in pages for post in page.get("data", ())]
        kinds = {one["type"] for post in posts for one in post.get("referenced_tweets", ())}
        assert kinds == {"retweeted", "quoted", "replied_to"}
        assert any("note_tweet" in post for post in posts)
        assert any(len(post["edit_history_tweet_ids"]) > 1 for post in posts)
        assert any("media_key" in url for post in posts
                   for url in post.get("entities", {}).get("urls", ()))  # fmt: skip
        assert any("&amp;amp;" in post["text"] for post in posts), "typed as &amp; by its author"
        for post in posts:
            made = snowflake_time(post["id"])
            said = datetime.strptime(post["created_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
            assert made is not None
            assert abs(made - said) < timedelta(seconds=1)
            assert ("in_reply_to_user_id" in post) == any(
                one["type"] == "replied_to" for one in post.get("referenced_tweets", ())
            )
            for kind in ("urls", "mentions", "hashtags"):
                for entity in post.get("entities", {}).get(kind, ()):
                    shown = post["text"][entity["start"] : entity["end"]]
                    mark = entity.get("url") or entity.get("username") or entity.get("tag")
                    assert shown.lstrip("@#") == mark
            start, end = post["display_text_range"]
            assert 0 <= start <= end <= len(post["text"])


def test_retweets_are_cut_and_whole_only_along_with_expansions(fake: FakeX) -> None:
    original = fake.add_post("cousin_of_the_tide", "long & " * 25 + "gone")
    fake.add_post(WALKER, retweet=original)
    path = tweets_path(fake)
    (post, *_) = ask(fake, path, max_results=5).body["data"]
    assert post["text"].startswith("RT @cousin_of_the_tide: long &amp; ")
    assert post["text"].endswith("…")
    assert len(post["text"].replace("&amp;", "&")) == 140
    before = fake.ledger()["posts"]
    page = ask(fake, path, max_results=5, expansions="referenced_tweets.id").body
    whole = {one["id"]: one["text"] for one in page["includes"]["tweets"]}
    assert whole[str(original.id)].endswith("gone")
    assert page["data"][0]["referenced_tweets"] == [{"type": "retweeted", "id": str(original.id)}]
    assert fake.ledger()["posts"] == before + len(page["includes"]["tweets"])


def test_long_posts_are_cut_without_a_mark_unless_note_tweet_is_asked(fake: FakeX) -> None:
    words = " ".join(f"word{number}" for number in range(90)) + " <end>"
    fake.add_post(WALKER, words)
    (short, *_) = ask(fake, tweets_path(fake)).body["data"]
    assert "note_tweet" not in short
    assert len(short["text"]) <= 280
    assert words.startswith(short["text"])
    (long, *_) = ask(fake, tweets_path(fake), tweet__fields="note_tweet").body["data"]
    assert long["note_tweet"]["text"] == words.replace("<end>", "&lt;end&gt;")
    assert long["text"] == short["text"]


def test_edits_make_new_ids_and_deleting_one_deletes_all(fake: FakeX) -> None:
    first = fake.add_post(WALKER, "teh sea")
    second = fake.edit_post(first, "the sea")
    third = fake.edit_post(second, "The sea.")
    (shown, *_) = ask(fake, tweets_path(fake), tweet__fields="edit_controls").body["data"]
    chain = [str(one.id) for one in (first, second, third)]
    assert shown["id"] == chain[-1]
    assert shown["edit_history_tweet_ids"] == chain
    assert shown["edit_controls"]["edits_remaining"] == 3
    assert not {int(one) for one in chain[:2]} & set(ids(*walk(fake)))
    fake.delete_post(second)
    assert int(chain[-1]) not in ids(*walk(fake))


def test_a_post_that_arrives_mid_walk_shows_one_post_twice(fake: FakeX) -> None:
    path = tweets_path(fake)
    first = ask(fake, path, max_results=50).body
    fake.add_post(WALKER, "Just now.")
    second = ask(fake, path, max_results=50, pagination_token=first["meta"]["next_token"]).body
    assert ids(second)[0] == ids(first)[-1]


def test_quotes_of_what_cannot_be_seen_are_errors_beside_the_data(fake: FakeX) -> None:
    gone = fake.add_post("cousin_of_the_tide", "I never said this.")
    locked = fake.account("behind_the_garden_gate").posts[0]
    fake.add_post(WALKER, "She did.", quote=gone)
    fake.add_post(WALKER, "I looked over.", quote=locked)
    fake.delete_post(gone)
    page = ask(fake, tweets_path(fake), max_results=5, expansions="referenced_tweets.id").body
    titles = {error["value"]: error["title"] for error in page["errors"]}
    assert titles == {str(gone.id): "Not Found Error", str(locked.id): "Authorization Error"}
    assert len(page["data"]) == 5


def test_media_and_authors_come_along_when_asked(fake: FakeX) -> None:
    page = ask(
        fake,
        tweets_path(fake),
        max_results=100,
        expansions="attachments.media_keys,author_id",
        media__fields="url,alt_text",
    ).body
    keys = {
        key for post in page["data"] for key in post.get("attachments", {}).get("media_keys", ())
    }
    assert keys
    assert {one["media_key"] for one in page["includes"]["media"]} == keys
    assert [one["username"] for one in page["includes"]["users"]] == [WALKER]


def test_japanese_comes_as_utf8(fake: FakeX) -> None:
    reply = ask(fake, tweets_path(fake, "poet_of_the_cedar_inn"), tweet__fields="lang")
    assert all(post["lang"] in ("ja", "zxx") for post in reply.body["data"])
    assert any("。" in post["text"] for post in reply.body["data"])


def test_the_same_seed_always_gives_the_same_accounts() -> None:
    def texts(world: World) -> list[tuple[int, str]]:
        return [(post.id, post.text) for post in world.account(WALKER).live()]

    assert texts(make_world("small")) == texts(make_world("small"))
    assert texts(make_world("small")) != texts(make_world("small", seed=2))


def test_accounts_of_ones_own() -> None:
    with FakeX([Plan("one_of_my_own_making", "Mine", 7, mix={"original": 1})]) as fake:
        assert len(ids(*walk(fake, "one_of_my_own_making"))) == 7


def test_plans_have_handles_that_can_be_nobodys() -> None:
    assert all(len(plan.username) > 15 for plan in FULL)
