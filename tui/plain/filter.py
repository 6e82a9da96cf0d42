"""The section Filter of the plain mode: the rules of a recipe, and what each change does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.errors import MynahError
from core.numbers import plural
from tui.plain.menu import Item, browse, menu
from tui.plain.session import Session
from tui.plain.train import how_long
from tui.plain.tweets import list_tweets
from tui.text.numbers import day, exact
from tui.text.verdicts import short_verdict, verdict

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from core.curation.rules import RuleField
    from core.workbench.comparison import ComparedRow, ComparedRows
    from core.workbench.view import Which

_HELP: Final = (
    "A recipe is a list of rules that decide which tweets a model learns, and in which words. "
    "Change a rule and hear what it does; nothing is lost by that. Save keeps the rules under a "
    "name."
)


def filter_tweets(session: Session) -> None:
    """The menu of the section; first what the recipe keeps."""
    session.chosen()
    _say_kept(session)
    menu(session.console, "Filter", partial(_items, session), _HELP)


def _items(session: Session) -> list[Item]:
    recipe = session.recipe
    changed = ", changed and not saved" if recipe.changed else ""
    return [
        Item("What is kept, and why not the rest", partial(_say_kept, session)),
        Item(f"Hear the rules of {recipe.name}{changed}, and change one", partial(_rules, session)),
        Item("List the tweets that are dropped, and why", partial(_list, session, "dropped")),
        Item("List the tweets that are learned in other words", partial(_list, session, "edited")),
        Item("Save the recipe", partial(_save, session)),
        Item("Take back the changes", partial(_reset, session)),
        Item("Take another recipe", partial(_another, session)),
        Item("Compare with another recipe", partial(_compare, session)),
    ]  # fmt: skip


def _say_kept(session: Session) -> None:
    from tui.text.stats import counts_in_words

    curation = session.curation()
    total = curation.total
    session.console.say(
        f"The recipe {curation.recipe.name} keeps {total.kept:,} of "
        f"{plural(total.downloaded, 'tweet')}.",
        *counts_in_words(total),
    )
    if len(curation.stats) > 1:
        session.console.say(
            *(f"@{one.handle}: {one.kept:,} of {one.downloaded:,} kept." for one in curation.stats)
        )
    for one in curation.stats:
        session.console.say(*(f"Warning: {words}" for words in one.warnings))
    if total.kept and (words := how_long(session)):
        session.console.say(words)


def _rules(session: Session) -> None:
    from core.curation.rules import rule_fields

    rules = rule_fields(session.recipe.languages)
    browse(
        session.console,
        rules,
        lambda place: f"{rules[place].title}: {_value(session.recipe, rules[place])}",
        "to change that rule",
        lambda place: _change(session, rules[place]),
        help="The number of a rule tells what it means, and asks for another value.",
    )


def _value(recipe: Recipe, rule: RuleField) -> str:
    from core.curation.recipe import rule_value

    value = rule_value(recipe, rule.key)
    if rule.kind == "switch":
        return "yes" if value else "no"
    return str(value).replace("_", " ") if value != "" else rule.empty


def _change(session: Session, rule: RuleField) -> None:
    """Asks for a value, and says what it did; refuses what will not do, and asks again."""
    from core.curation.recipe import with_rule
    from tui.text.stats import changes_in_words

    console, before = session.console, session.curation().total
    console.say(
        f"The rule {rule.title} is {_value(session.recipe, rule)} now. It means: {rule.help}"
    )
    while True:
        value = _ask_value(session, rule)
        try:
            session.state.recipe = with_rule(session.recipe, rule.key, value)
            break
        except MynahError as error:
            console.say(str(error))
    console.say(f"The rule {rule.title} is {_value(session.recipe, rule)}.")
    changes = changes_in_words(before, session.curation().total)
    console.say(*changes or ["It changes none of the counts."])


def _ask_value(session: Session, rule: RuleField) -> bool | int | str:
    console = session.console
    if rule.kind == "switch":
        return console.yes(f"{rule.title.capitalize()}?", rule.help)
    if rule.kind == "number":
        asked = f"Type a whole number from 0 to {rule.maximum:,}."
        return int(console.number(asked, 0, rule.maximum, help=rule.help, whole=True))
    if rule.kind == "choice":
        names = [choice.replace("_", " ") for choice in rule.choices]
        return rule.choices[console.choose("Which value?", names, rule.help)]
    typed = console.ask(f"Type the value, or the word {rule.empty}.", rule.help)
    return "" if typed.lower() == rule.empty else typed


def _list(session: Session, which: str) -> None:
    chosen: Which = "dropped" if which == "dropped" else "edited"
    list_tweets(session, lambda: session.curation().rows.only(chosen))


def _save(session: Session) -> None:
    from core.curation.recipe import save_recipe

    recipe = session.recipe
    name = session.console.ask(
        f"Under which name? An empty line saves it as {recipe.name}.",
        "A name is lower-case letters, digits, - and _. The recipes that ship stay as they are.",
        default=recipe.name,
    )
    if name != recipe.name and not session.may_write([session.home.recipes / f"{name}.toml"]):
        return
    session.state.recipe = session.state.saved_recipe = save_recipe(recipe, session.home, name=name)
    session.console.say(f"The recipe {name} is saved.")


def _reset(session: Session) -> None:
    session.state.recipe = session.state.saved_recipe
    session.console.say(f"The rules are those of {session.recipe.name} again.")
    _say_kept(session)


def _another(session: Session) -> None:
    session.state.recipe = session.state.saved_recipe = _ask_recipe(session, "Which recipe?")
    _say_kept(session)


def _ask_recipe(session: Session, question: str) -> Recipe:
    from core.curation.recipe import load_recipe, recipe_names

    names = recipe_names(session.home)

    def about(name: str) -> str:
        try:
            return load_recipe(name, session.home).about
        except MynahError:
            return "it cannot be read"

    place = session.console.choose(question, [f"{name}: {about(name)}" for name in names])
    return load_recipe(names[place], session.home)


def _compare(session: Session) -> None:
    from core.workbench.comparison import compare

    mine, other = session.recipe, _ask_recipe(session, "Compare with which recipe?")
    bench = session.bench()
    found = session.work(lambda _, stopped: compare(bench, mine, other, cancelled=stopped))
    first = f"{mine.name} as it stands" if mine.changed else mine.name
    second = f"{other.name} as it is saved" if other.name == mine.name else other.name
    session.console.say(
        f"{first} keeps {plural(found.a.total.kept, 'tweet')}, {second} keeps "
        f"{found.b.total.kept:,}.",
        f"{_are(found.only_a)} kept by {first} only, {found.only_b:,} by {second} only.",
        f"{_are(found.other_reason)} dropped by both for different reasons, "
        f"{_are(found.other_words)} learned in different words.",
    )
    if len(found.rows):
        _list_differing(session, found.rows, first, second)


def _are(tweets: int) -> str:
    return f"{tweets:,} {'is' if tweets == 1 else 'are'}"


def _list_differing(session: Session, rows: ComparedRows, first: str, second: str) -> None:
    """The tweets on which two recipes differ, newest first."""

    def open_one(place: int) -> None:
        row, console = rows[place], session.console
        console.say(f"The tweet of @{row.a.handle}, {exact(row.a.created_at)}:")
        console.show(row.a.published)
        for name, tweet in ((first, row.a), (second, row.b)):
            console.say(f"The recipe {name} says: {verdict(tweet)}.")
            if tweet.kept and tweet.clean_text != tweet.published:
                console.say("It is learned as:")
                console.show(tweet.clean_text)

    browse(
        session.console,
        rows,
        lambda place: _differing_line(rows[place], first, second),
        "to hear what each recipe makes of that tweet",
        open_one,
    )


def _differing_line(row: ComparedRow, first: str, second: str) -> str:
    """``5 Nov 2024, standard: kept, classic: short: The fog …``."""
    when = day(row.a.created_at) if row.a.created_at else "no date"
    said = [f"{first} {short_verdict(row.a)}", f"{second} {short_verdict(row.b)}"]
    if row.a.kept and row.b.kept:
        said = ["kept in different words"]
    return f"{when}, {', '.join(said)}: {' '.join(row.a.published.split())}"
