"""Query strings of the endpoints, checked the way X checks them: the first wrong one is a 400."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from tests.fakes.x_api import render
from tests.fakes.x_api.problems import Refused, invalid
from tests.fakes.x_api.tokens import Place, read_token

EXPANSIONS = frozenset(
    """article.cover_media article.media_entities attachments.media_keys
    attachments.media_source_tweet attachments.poll_ids author_id edit_history_tweet_ids
    entities.mentions.username entities.note.mentions.username geo.place_id in_reply_to_user_id
    referenced_tweets referenced_tweets.id referenced_tweets.id.author_id
    referenced_tweets.id.attachments.media_keys username""".split()
)
_EARLIEST = datetime(2010, 11, 6, tzinfo=timezone.utc)
_FIELDS = {
    "tweet.fields": render.POST_FIELDS,
    "post.fields": render.POST_FIELDS | frozenset(render.POST_SPELLINGS),
    "user.fields": render.USER_FIELDS,
    "media.fields": render.MEDIA_FIELDS,
    "expansions": EXPANSIONS,
    "exclude": frozenset({"retweets", "replies"}),
}
_LISTS = (*_FIELDS, "place.fields", "poll.fields")  # the last two are taken and mean nothing here
USER_PARAMETERS = ("user.fields", "tweet.fields", "post.fields", "expansions")
TIMELINE_PARAMETERS = (
    *_LISTS,
    *"max_results pagination_token since_id until_id start_time end_time".split(),
)


@dataclass
class Query:
    """A checked query. Times are in whole seconds, UTC."""

    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    max_results: int = 10
    since_id: int | None = None
    until_id: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    place: Place | None = None

    def of(self, name: str) -> frozenset[str]:
        return self.fields.get(name, frozenset())

    @property
    def post_fields(self) -> frozenset[str]:
        return self.of("tweet.fields") | self.of("post.fields")


def read_query(host: str, text: str, allowed: tuple[str, ...], user_id: int = 0) -> Query:
    """Raises Refused with a 400 that names the parameter and the value."""
    query = Query()
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in allowed:
            known = ",".join(sorted(allowed))
            message = f"The query parameter [{name}] is not one of [{known}]"
            raise Refused(invalid(host, name, value, message))
        if name in _LISTS:
            query.fields[name] = query.of(name) | _words(host, name, value)
        elif name in ("days", "usage.fields"):
            continue
        elif name == "max_results":
            query.max_results = _count(host, value)
        elif name in ("since_id", "until_id"):
            if not re.fullmatch(r"[0-9]{1,19}", value):
                message = f"The `{name}` query parameter value [{value}] is not a valid Tweet id"
                raise Refused(invalid(host, name, value, message))
            setattr(query, name, int(value))
        elif name == "pagination_token":
            query.place = read_token(value, user_id)
            if query.place is None:
                message = f"The `{name}` query parameter value [{value}] is not valid"
                raise Refused(invalid(host, name, value, message))
        else:
            setattr(query, name, _time(host, name, value))
    if query.start_time and query.end_time and query.start_time >= query.end_time:
        value = query.end_time.strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"Invalid 'end_time':'{value}'. 'end_time' must be after 'start_time'"
        raise Refused(invalid(host, "end_time", value, message))
    return query


def _words(host: str, name: str, value: str) -> frozenset[str]:
    known = _FIELDS.get(name)
    words = frozenset(value.split(",")) if value else frozenset()
    for word in sorted(words):
        if known is not None and word not in known:
            shown = ",".join(sorted(known))
            message = f"The `{name}` query parameter value [{word}] is not one of [{shown}]"
            raise Refused(invalid(host, name, value, message))
    return words


def _count(host: str, value: str) -> int:
    name = "max_results"
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        message = f"The `{name}` query parameter value [{value}] is not a valid integer"
        raise Refused(invalid(host, name, value, message))
    if not 5 <= int(value) <= 100:
        message = f"The `{name}` query parameter value [{value}] is not between 5 and 100"
        raise Refused(invalid(host, name, value, message))
    return int(value)


def _time(host: str, name: str, value: str) -> datetime:
    message = f"Invalid '{name}':'{value}'. "
    try:
        when = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        message += "It must be a valid RFC 3339 date-time of whole seconds"
        raise Refused(invalid(host, name, value, message)) from None
    if when < _EARLIEST:
        message += "It must be on or after 2010-11-06T00:00:00Z"
        raise Refused(invalid(host, name, value, message))
    return when
