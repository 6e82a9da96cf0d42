"""Build the sample archives in datasets/samples from the texts beside this file.

One text file per author, one tweet per line, so that a person can read and review the words;
the zip is what X would have given that author. The same texts always give the same bytes.

Line syntax::

    # 2018-11            the month of the lines that follow
    \\n                   a line break inside a tweet
    {link URL}           a shortened link to URL            {photo}   a picture
    {quote handle}       the link of a quoted tweet by that account
    RT @handle: text     a retweet (cut at 140 characters, as X does)
    @handle text         a reply
    NOTE: text           a post of more than 280 characters
    DELETED: text        a tweet that its author deleted

``python tests/samples/build.py`` writes the zips; ``--check HANDLE`` only reports.
"""

from __future__ import annotations

import argparse
import calendar
import io
import json
import random
import re
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "datasets" / "samples"
SNOWFLAKE_EPOCH_MS = 1288834974657
MARK = re.compile(r"\{(link|photo|quote)(?: ([^}]+))?\}")
MENTION = re.compile(r"(?<!\w)@(\w+)")
HASHTAG = re.compile(r"(?<!\w)#(\w+)")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


@dataclass
class Line:
    """One line of an author's file; ``text`` still holds the marks in braces."""

    number: int
    month: str
    text: str
    kind: str  # original, reply, retweet, note, deleted
    when: datetime = field(default=datetime.min.replace(tzinfo=timezone.utc))
    id: int = 0


def read_lines(path: Path) -> list[Line]:
    """Parse an author's file; raises ValueError naming the line that is wrong."""
    lines: list[Line] = []
    month = ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not raw.strip():
            continue
        if heading := re.fullmatch(r"# (\d{4}-\d{2})", raw.strip()):
            if heading[1] <= month:
                raise ValueError(f"{path.name}:{number}: months must go forward")
            month = heading[1]
            continue
        if not month:
            raise ValueError(f"{path.name}:{number}: a tweet before the first month heading")
        text = raw.strip().replace("\\n", "\n")
        kind = "original"
        if text.startswith("NOTE: "):
            kind, text = "note", text[6:]
        elif text.startswith("DELETED: "):
            kind, text = "deleted", text[9:]
        elif text.startswith("RT @"):
            kind = "retweet"
        elif text.startswith("@"):
            kind = "reply"
        lines.append(Line(number, month, text, kind))
    return lines


def bare(text: str) -> str:
    """The text without links, as the filter will keep it."""
    return re.sub(r"[ \n]*" + MARK.pattern, "", text)


def kept(line: Line) -> bool:
    if line.kind in ("retweet", "deleted"):
        return False
    words = [w for w in bare(line.text).split() if not re.search("http|@|#", w.lower())]
    return len(words) >= 3


def report(handle: str) -> list[str]:
    """Print what an author's file holds; return what is still wrong with it."""
    lines = read_lines(HERE / f"{handle}.txt")
    wrong: list[str] = []
    live = [line for line in lines if line.kind != "deleted"]
    good = [line for line in live if kept(line)]
    retweets = sum(line.kind == "retweet" for line in live)
    short = len(live) - retweets - len(good)
    chars = sum(len(" ".join(bare(line.text).split())) for line in good)
    count = {
        "tweets": len(live),
        "kept": len(good),
        "kept characters": chars,
        "retweets": retweets,
        "short": short,
        "replies": sum(line.kind == "reply" for line in live),
        "quotes": sum("{quote " in line.text for line in live),
        "links": sum("{link " in line.text for line in live),
        "photos": sum("{photo}" in line.text for line in live),
        "hashtags": sum(bool(HASHTAG.search(line.text)) for line in good),
        "mentions in the middle": sum(bool(MENTION.search(line.text[1:])) for line in good),
        "emoji": sum(bool(EMOJI.search(line.text)) for line in good),
        "with & < >": sum(bool(re.search("[&<>]", line.text)) for line in good),
        "line breaks": sum("\n" in line.text for line in good),
        "notes": sum(line.kind == "note" for line in live),
        "deleted": len(lines) - len(live),
        "months": len({line.month for line in live}),
    }
    for name, value in count.items():
        print(f"{value:>8,}  {name}")
    least = {
        "kept": 650, "kept characters": 45_000, "replies": 60, "quotes": 8, "links": 60,
        "photos": 30, "hashtags": 25, "mentions in the middle": 20, "emoji": 8,
        "with & < >": 12, "line breaks": 15, "notes": 5, "deleted": 3, "months": 24,
    }  # fmt: skip
    wrong += [f"{count[n]:,} {n}, at least {v:,} wanted" for n, v in least.items() if count[n] < v]
    if not 0.12 <= retweets / len(live) <= 0.35:
        wrong.append(f"retweets are {retweets / len(live):.1%} of the tweets, 12-35 % wanted")
    if not 0.05 <= short / len(live) <= 0.20:
        wrong.append(f"short tweets are {short / len(live):.1%} of the tweets, 5-20 % wanted")
    seen: dict[tuple[str, ...], Line] = {}
    for line in good:
        words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", bare(line.text).lower())
        for start in range(len(words) - 6):
            gram = tuple(words[start : start + 7])
            other = seen.setdefault(gram, line)
            if other is not line:
                wrong.append(f"lines {other.number} and {line.number} share «{' '.join(gram)}»")
                break
    texts = Counter(bare(line.text).strip() for line in good)
    wrong += [f"repeated: {text[:60]}" for text, times in texts.items() if times > 1]
    for line in lines:
        names = MENTION.findall(line.text) + [
            m[2] for m in MARK.finditer(line.text) if m[1] == "quote"
        ]
        wrong += [
            f"line {line.number}: @{name} could be somebody's (16 or more characters wanted)"
            for name in names
            if len(name or "") < 16
        ]
        for mark in MARK.finditer(line.text):
            if mark[1] == "link" and not re.match(r"https://[a-z.-]+\.example(/|$)", mark[2] or ""):
                wrong.append(f"line {line.number}: links go to https://NAME.example only")
        size = len(MARK.sub("x" * 23, line.text))
        if line.kind == "note" and len(bare(line.text)) <= 290:
            wrong.append(f"line {line.number}: a note of only {len(bare(line.text))} characters")
        if line.kind != "note" and size > 280:
            wrong.append(f"line {line.number}: {size} characters, 280 is the limit")
        if "http" in MARK.sub("", line.text):
            wrong.append(f"line {line.number}: write links as {{link URL}}")
    return wrong


class Author:
    """What the .toml beside the text says, and the random numbers that are this author's own."""

    def __init__(self, handle: str) -> None:
        with (HERE / f"{handle}.toml").open("rb") as stream:
            given = tomllib.load(stream)
        self.username: str = given["username"]
        self.name: str = given["name"]
        self.bio: str = given["bio"]
        self.location: str = given["location"]
        self.website: str = given["website"]
        self.account_id: str = given["account_id"]
        self.created = datetime.strptime(given["created"], "%Y-%m-%dT%H:%M:%SZ").replace(
            tzinfo=timezone.utc
        )
        self.hours: list[int] = given["hours"]
        self.weekdays: list[int] = given["weekdays"]
        self.random = random.Random(handle)

    def letters(self, count: int) -> str:
        """Like the end of a t.co link."""
        alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "".join(self.random.choice(alphabet) for _ in range(count))


def snowflake(when: datetime, low: int) -> int:
    """The id of that millisecond; ``low`` fills the 22 bits of machine and sequence."""
    milliseconds = int(when.timestamp()) * 1000 + when.microsecond // 1000
    return (milliseconds - SNOWFLAKE_EPOCH_MS) << 22 | low % (1 << 22)


def user_id(name: str) -> str:
    """An id for an account that does not exist, always the same one."""
    return str(random.Random(f"user {name.lower()}").randrange(10**17, 10**18))


def give_times(author: Author, lines: list[Line]) -> None:
    """Each line its time and id: in the order of the file, at hours and weekdays of the .toml."""
    rng = author.random
    for month in dict.fromkeys(line.month for line in lines):
        here = [line for line in lines if line.month == month]
        year, number = map(int, month.split("-"))
        days = range(1, calendar.monthrange(year, number)[1] + 1)
        weights = [author.weekdays[calendar.weekday(year, number, day)] for day in days]
        drawn: set[datetime] = set()
        while len(drawn) < len(here):
            when = datetime(
                year,
                number,
                rng.choices(days, weights)[0],
                rng.choices(range(24), author.hours)[0],
                rng.randrange(60),
                rng.randrange(60),
                tzinfo=timezone.utc,
            )
            if when > author.created:
                drawn.add(when)
        for line, when in zip(here, sorted(drawn), strict=True):
            line.when = when
            line.id = snowflake(
                when + timedelta(milliseconds=rng.randrange(1000)), rng.randrange(1 << 22)
            )


@dataclass
class Rendered:
    """A text as X publishes it, before HTML escaping, and the links in it."""

    text: str
    links: list[dict[str, str]]  # url, expanded_url, display_url, kind (link, photo, quote)


def render(author: Author, line: Line) -> Rendered:
    """Marks become t.co links."""
    links: list[dict[str, str]] = []

    def link(match: re.Match[str]) -> str:
        kind, target = match[1], match[2]
        url = f"https://t.co/{author.letters(10)}"
        if kind == "photo":
            expanded = f"https://twitter.com/{author.username}/status/{line.id}/photo/1"
            display = f"pic.twitter.com/{url[-10:]}"
        elif kind == "quote":
            quoted = snowflake(
                line.when - timedelta(minutes=author.random.randrange(5, 5000)),
                author.random.randrange(1 << 22),
            )
            expanded = f"https://twitter.com/{target}/status/{quoted}"
            display = f"twitter.com/{target}/stat…"
        else:
            expanded = target
            bare_url = target.removeprefix("https://")
            display = bare_url if len(bare_url) <= 27 else f"{bare_url[:26]}…"
        links.append({"url": url, "expanded_url": expanded, "display_url": display, "kind": kind})
        return url

    return Rendered(MARK.sub(link, line.text), links)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def indices(text: str, part: str, start: int = 0) -> list[str]:
    at = text.index(part, start)
    return [str(at), str(at + len(part))]


def tweet_object(author: Author, line: Line, rendered: Rendered) -> dict[str, Any]:
    """One entry of tweets.js, in X's own shape: numbers as text, entities, no author."""
    text = rendered.text
    links = rendered.links
    if line.kind == "retweet" and len(text) > 140:
        text = text[:139] + "…"
    if line.kind == "note":
        shown = text[:274]
        url = f"https://t.co/{author.letters(10)}"
        text = f"{shown[: shown.rindex(' ')].rstrip()}… {url}"
        status = f"twitter.com/i/web/status/{line.id}"
        links = [*links, {"url": url, "expanded_url": f"https://{status}",
                          "display_url": f"{status[:26]}…", "kind": "link"}]  # fmt: skip
    full_text = escaped(text)
    urls = [
        {
            "url": link["url"],
            "expanded_url": link["expanded_url"],
            "display_url": link["display_url"],
            "indices": indices(full_text, link["url"]),
        }
        for link in links
        if link["kind"] != "photo" and link["url"] in full_text
    ]
    media = [
        {
            "expanded_url": link["expanded_url"],
            "indices": indices(full_text, link["url"]),
            "url": link["url"],
            "media_url": f"http://pbs.twimg.com/media/{author.letters(15)}.jpg",
            "id_str": str(line.id - 4096),
            "id": str(line.id - 4096),
            "type": "photo",
            "display_url": link["display_url"],
        }
        for link in links
        if link["kind"] == "photo" and link["url"] in full_text
    ]
    mentions = [
        {
            "name": match[1],
            "screen_name": match[1],
            "indices": [str(match.start()), str(match.end())],
            "id_str": user_id(match[1]),
            "id": user_id(match[1]),
        }
        for match in MENTION.finditer(full_text)
    ]
    hashtags = [
        {"text": match[1], "indices": [str(match.start()), str(match.end())]}
        for match in HASHTAG.finditer(full_text)
    ]
    rng = author.random
    liked, luck = rng.random(), rng.random()
    favourites = 0 if line.kind == "retweet" else int(4 + 900 * liked * liked * liked * luck)
    entities: dict[str, Any] = {
        "hashtags": hashtags, "symbols": [], "user_mentions": mentions, "urls": urls,
    }  # fmt: skip
    tweet: dict[str, Any] = {
        "edit_info": {
            "initial": {
                "editTweetIds": [str(line.id)],
                "editableUntil": iso(line.when + timedelta(minutes=30)),
                "editsRemaining": "5",
                "isEditEligible": line.kind not in ("retweet", "reply"),
            }
        },
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": entities,
        "display_text_range": ["0", str(len(full_text))],
        "favorite_count": str(favourites),
        "id_str": str(line.id),
        "truncated": False,
        "retweet_count": str(int(favourites * 0.25 * rng.random())),
        "id": str(line.id),
        "created_at": line.when.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "favorited": False,
        "full_text": full_text,
        "lang": "en",
    }
    if links:
        tweet["possibly_sensitive"] = False
    if media:
        entities["media"] = media
        tweet["extended_entities"] = {"media": media}
    answered = MENTION.match(text)
    if line.kind == "reply" and answered:
        tweet["in_reply_to_screen_name"] = answered[1]
        tweet["in_reply_to_user_id_str"] = tweet["in_reply_to_user_id"] = user_id(answered[1])
        earlier = line.when - timedelta(minutes=rng.randrange(1, 600))
        status_id = str(snowflake(earlier, rng.randrange(1 << 22)))
        tweet["in_reply_to_status_id_str"] = tweet["in_reply_to_status_id"] = status_id
    if line.kind == "deleted":
        deleted_at = line.when + timedelta(minutes=rng.randrange(2, 3000))
        tweet["deleted_at"] = deleted_at.strftime("%a %b %d %H:%M:%S +0000 %Y")
    return tweet


def note_object(author: Author, line: Line, rendered: Rendered) -> dict[str, Any]:
    """One entry of note-tweet.js: the whole text, not escaped, and no id of its tweet."""
    text = rendered.text
    urls = [
        {
            "expandedUrl": link["expanded_url"],
            "toIndex": indices(text, link["url"])[1],
            "shortUrl": link["url"],
            "displayUrl": link["display_url"],
            "fromIndex": indices(text, link["url"])[0],
        }
        for link in rendered.links
    ]
    mentions = [
        {"screenName": match[1], "fromIndex": str(match.start()), "toIndex": str(match.end())}
        for match in MENTION.finditer(text)
    ]
    hashtags = [
        {"text": match[1], "fromIndex": str(match.start()), "toIndex": str(match.end())}
        for match in HASHTAG.finditer(text)
    ]
    return {
        "noteTweetId": str(line.id + author.random.randrange(1, 4096)),
        "updatedAt": iso(line.when),
        "lifecycle": {"value": "6", "name": "Public", "originalName": "Public", "annotations": {}},
        "createdAt": iso(line.when),
        "core": {
            "styletags": [],
            "urls": urls,
            "text": text,
            "mentions": mentions,
            "cashtags": [],
            "hashtags": hashtags,
        },
    }


def iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def build(handle: str) -> bytes:
    """The zip that X would have given this author; the same text gives the same archive."""
    author = Author(handle)
    lines = read_lines(HERE / f"{handle}.txt")
    give_times(author, lines)
    tweets: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    deleted: list[dict[str, Any]] = []
    for line in lines:
        rendered = render(author, line)
        tweet = tweet_object(author, line, rendered)
        (deleted if line.kind == "deleted" else tweets).append({"tweet": tweet})
        if line.kind == "note":
            notes.append({"noteTweet": note_object(author, line, rendered)})
    for entries in (tweets, notes, deleted):
        entries.reverse()  # newest first
    account = {
        "email": f"{handle}@post.example",
        "createdVia": "web",
        "username": author.username,
        "accountId": author.account_id,
        "createdAt": iso(author.created),
        "accountDisplayName": author.name,
    }
    profile = {
        "description": {"bio": author.bio, "website": author.website, "location": author.location},
        "avatarMediaUrl": "https://pbs.twimg.com/profile_images/0/none.png",
    }
    parts: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "account": ("account.js", [{"account": account}]),
        "profile": ("profile.js", [{"profile": profile}]),
        "tweets": ("tweets.js", tweets),
        "noteTweet": ("note-tweet.js", notes),
        "deletedTweets": ("deleted-tweets.js", deleted),
    }
    files: dict[str, str] = {}
    types: dict[str, Any] = {}
    for kind, (name, entries) in parts.items():
        variable = "YTD." + re.sub(r"(?=[A-Z])", "_", kind).lower() + ".part0"
        files[f"data/{name}"] = script(f"window.{variable}", entries)
        types[kind] = {
            "files": [
                {
                    "fileName": f"data/{name}",
                    "globalName": variable,
                    "count": str(len(entries)),
                }
            ]
        }
    last = max(line.when for line in lines)
    files["data/manifest.js"] = script(
        "window.__THAR_CONFIG",
        {
            "userInfo": {
                "accountId": author.account_id,
                "userName": author.username,
                "displayName": author.name,
            },
            "archiveInfo": {
                "sizeBytes": str(sum(len(text.encode()) for text in files.values())),
                "generationDate": iso(last + timedelta(days=1)),
                "isPartialArchive": False,
                "maxPartSizeBytes": "53687091200",
            },
            "dataTypes": types,
        },
    )
    return zipped(files)


def script(variable: str, value: Any) -> str:
    """A .js file of an archive."""
    written = json.dumps(value, ensure_ascii=False, indent=2, separators=(",", " : "))
    return f"{variable} = {written}"


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # the same on every platform
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name].encode(), compresslevel=9)
    return buffer.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    """Names and bytes of a zip's files; unlike the zip itself, they do not depend on the zlib."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def authors() -> list[str]:
    """Handles whose text and description lie beside this file."""
    return sorted(path.stem for path in HERE.glob("*.toml") if path.with_suffix(".txt").exists())


def verify() -> list[str]:
    """Which archives in datasets/samples are not what a rebuild gives."""
    wrong = []
    for handle in authors():
        path = SAMPLES / f"{handle}.zip"
        if not path.exists():
            wrong.append(f"{path.name} is missing")
        elif contents(path.read_bytes()) != contents(build(handle)):
            wrong.append(f"{path.name} differs from a rebuild")
    known = {f"{handle}.zip" for handle in authors()}
    wrong += [f"{p.name} has no text" for p in SAMPLES.glob("*.zip") if p.name not in known]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", metavar="HANDLE", help="report on one author's text")
    parser.add_argument("--verify", action="store_true", help="compare the zips with a rebuild")
    arguments = parser.parse_args()
    if arguments.check or arguments.verify:
        wrong = report(arguments.check) if arguments.check else verify()
        for line in wrong[:40]:
            print("WRONG ", line)
        print(f"{len(wrong)} things wrong" if wrong else "all is well")
        return 1 if wrong else 0
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for handle in authors():
        data = build(handle)
        (SAMPLES / f"{handle}.zip").write_bytes(data)
        print(f"{len(data):>9,}  {handle}.zip")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
