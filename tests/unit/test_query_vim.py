"""Vim's keys over a text: what each does, as Vim 9.0 does it with its defaults.

The cases were run in Vim itself (``vim -u NONE``, shiftwidth 4, expandtab) when they were written.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.query.vim.modes import Vim

NAMES = {"esc": "escape", "cr": "enter", "bs": "backspace", "c-r": "ctrl+r"}


def keys_of(words: str) -> list[str]:
    """``dwi<esc>`` as keys."""
    return [NAMES.get(key[1:-1], key) for key in re.findall(r"<[a-z-]{2,3}>|.", words)]


class Editor:
    """What the editor does for Vim: it owns the text, types in insert mode, and undoes."""

    def __init__(self, text: str, cursor: int = 0) -> None:
        self.text, self.cursor = text, cursor
        self.vim = Vim()
        self.done: list[tuple[str, int]] = []
        self.undone: list[tuple[str, int]] = []
        self.copied: list[str] = []
        self._before = (text, cursor)

    def press(self, key: str) -> bool:
        if self.vim.mode == "insert" and key != "escape":
            sign = {"enter": "\n"}.get(key, key)
            if key == "backspace":
                self.text = self.text[: max(0, self.cursor - 1)] + self.text[self.cursor :]
                self.cursor = max(0, self.cursor - 1)
            elif len(sign) == 1:
                self.text = self.text[: self.cursor] + sign + self.text[self.cursor :]
                self.cursor += 1
            return True
        if self.vim.mode == "normal" and not self.vim.unfinished:
            self._before = (self.text, self.cursor)
        outcome = self.vim.press(key, self.text, self.cursor)
        for start, end, text in outcome.edits:
            assert 0 <= start <= end <= len(self.text)
            self.text = self.text[:start] + text + self.text[end:]
        if outcome.handled:
            self.cursor = outcome.cursor
        if outcome.copied is not None:
            self.copied.append(outcome.copied)
        for _ in range(abs(outcome.undo)):
            source, other = (self.done, self.undone)[:: 1 if outcome.undo > 0 else -1]
            if source:
                other.append((self.text, self.cursor))
                self.text, self.cursor = source.pop()
        changed = self.vim.mode == "normal" and self.text != self._before[0]
        if changed and not outcome.undo and not self.vim.unfinished:
            self.done.append(self._before)
            self.undone.clear()
        return outcome.handled


def after(before: str, keys: str) -> str:
    """The text after the keys; ``¦`` stands before the character under the cursor."""
    editor = Editor(before.replace("¦", ""), before.index("¦"))
    for key in keys_of(keys):
        editor.press(key)
    return editor.text[: editor.cursor] + "¦" + editor.text[editor.cursor :]


CASES = [
    # motions
    ("¦abcd", "3l", "abc¦d"),
    ("abc¦d", "2h", "a¦bcd"),
    ("¦SELECT kind", "w", "SELECT ¦kind"),
    ("¦a.b, c-d", "3w", "a.b¦, c-d"),
    ("¦a.b, c-d e", "2W", "a.b, c-d ¦e"),
    ("a b ¦cc", "b", "a ¦b cc"),
    ("a.b c.d¦e", "B", "a.b ¦c.de"),
    ("¦foo bar", "2e", "foo ba¦r"),
    ("¦a.b c", "E", "a.¦b c"),
    ("  foo ¦bar", "0", "¦  foo bar"),
    ("  foo ¦bar", "^", "  ¦foo bar"),
    ("¦foo\nbar", "$j", "foo\nba¦r"),
    ("¦foo\n\nlong line", "$2j", "foo\n\nlong lin¦e"),
    ("a\n  b\n¦c", "2G", "a\n  ¦b\nc"),
    ("a\n  b\n¦c", "gg", "¦a\n  b\nc"),
    ("¦a\nb\n  c", "G", "a\nb\n  ¦c"),
    ("¦f(a, b)", "fa", "f(¦a, b)"),
    ("¦a,b,c,d", "2f,", "a,b¦,c,d"),
    ("¦a,b,c,d", "t,;;", "a,b,¦c,d"),
    ("a,b,c,¦d", "2F,,;", "a,b¦,c,d"),
    ("a,b,c,¦d", "2T,", "a,b,¦c,d"),
    ("¦max(f(1), 2)", "%", "max(f(1), 2¦)"),
    ("max(f(1), 2¦)", "%", "max¦(f(1), 2)"),
    ("¦a\nb\n\nc\nd", "}", "a\nb\n¦\nc\nd"),
    ("a\nb\n\nc\n¦d", "{", "a\nb\n¦\nc\nd"),
    ("lon¦g\na\nlong", "jj", "long\na\nlon¦g"),
    ("¦one two one", "/one<cr>", "one two ¦one"),
    ("¦one two one", "/o<cr>nn", "¦one two one"),
    ("one two ¦one", "?tw<cr>", "one ¦two one"),
    # operators and motions
    ("¦SELECT kind", "dw", "¦kind"),
    ("a ¦foo\n  bar", "dw", "a¦ \n  bar"),
    ("¦a b c d e", "2d2w", "¦e"),
    ("foo ¦bar baz", "db", "¦bar baz"),
    ("foo b¦ar", "de", "foo ¦b"),
    ("foo ¦bar baz", "d$", "foo¦ "),
    ("foo ¦bar baz", "d0", "¦bar baz"),
    ("¦a\nb\n  c", "dj", "  ¦c"),
    ("a\n¦b\nc", "dG", "¦a"),
    ("x ¦= f(a, b)", "df(", "x ¦a, b)"),
    ("x ¦= f(a, b)", "dt(", "x ¦(a, b)"),
    ("f¦(a, (b)) + 1", "d%", "f¦ + 1"),
    ("¦a\nb\n\nc", "d}", "¦\nc"),
    ("foo ¦bar baz", "cwxy<esc>", "foo x¦y baz"),
    ("foo ¦  baz", "cwx<esc>", "foo ¦xbaz"),
    ("foo b¦ar baz", "cbx<esc>", "foo ¦xar baz"),
    ("¦foo bar", "yw$p", "foo barfoo¦ "),
    ("¦foo\nbar", "yyp", "foo\n¦foo\nbar"),
    ("foo\n¦bar", "yyP", "foo\n¦bar\nbar"),
    ("a\n  ¦b\nc", ">>", "a\n      ¦b\nc"),
    ("¦a\nb\n\nc", ">3j", "    ¦a\n    b\n\n    c"),
    ("      ¦a\n  b", "<j", "  ¦a\nb"),
    ("a,bb¦c", "dT,", "a,¦c"),
    ("¦a\nb\n\nc", "y}P", "¦a\nb\na\nb\n\nc"),
    ("  ¦(a\nb)\nc", "d%", "¦c"),
    # whole lines and short forms
    ("a\n¦b\n  c", "dd", "a\n  ¦c"),
    ("a\nb\n¦c", "dd", "a\n¦b"),
    ("¦a\nb\nc", "2ddp", "c\n¦a\nb"),
    ("  fo¦o\nb", "ccx<esc>", "¦x\nb"),
    ("a¦bc", "x", "a¦c"),
    ("ab¦c", "3x", "a¦b"),
    ("ab¦c", "X", "a¦c"),
    ("ab¦cd\ne", "D", "a¦b\ne"),
    ("ab¦cd", "Cx<esc>", "ab¦x"),
    ("a¦bc", "sxy<esc>", "ax¦yc"),
    ("a¦bc\nd", "Sx<esc>", "¦x\nd"),
    ("a¦bcd", "2rx", "ax¦xd"),
    ("a¦b", "3rx", "a¦b"),
    ("a¦bC", "2~", "aB¦c"),
    ("¦a,\n   b\n)", "3J", "a, b¦)"),
    ("¦a\nb", "Yjp", "a\nb\n¦a"),
    ("a¦b", "xp", "a¦b"),
    ("¦ab", "xp", "b¦a"),
    ("¦ab c", "dw3P", "ab ab ab¦ c"),
    # text objects
    ("foo b¦ar baz", "diw", "foo ¦ baz"),
    ("foo b¦ar baz", "daw", "foo ¦baz"),
    ("foo ba¦r", "daw", "fo¦o"),
    ("f(a, ¦(b), c)", "di(", "f(a, (¦), c)"),
    ("f(a, (¦b), c)", "2da(", "¦f"),
    ("f(¦a, b)", "ci(x<esc>", "f(¦x)"),
    ("f(\n  a¦,\n  b\n)", "di(", "f(\n¦)"),
    ("¦x = 'it' || 1", "ci'yes<esc>", "x = 'ye¦s' || 1"),
    ("x = ¦'it' || 1", "da'", "x = ¦|| 1"),
    ('"a ¦b"', 'yi"P', '"a ¦ba b"'),
    ("{\n  a¦,\n  b\n  }", "di{", "{\n  ¦}"),
    ("'a' || ¦'b'", "di'", "'a' || '¦'"),
    # insert mode
    ("a¦b", "ix<esc>", "a¦xb"),
    ("a¦b", "ax<esc>", "ab¦x"),
    ("  a¦b", "Ix<esc>", "  ¦xab"),
    ("¦ab\nc", "Ax<esc>", "ab¦x\nc"),
    ("¦a\nb", "ox<esc>", "a\n¦x\nb"),
    ("a\n¦b", "Ox<esc>", "a\n¦x\nb"),
    ("¦b", "3ix<esc>", "xx¦xb"),
    ("¦a", "2ox<esc>", "a\nx\n¦x"),
    ("¦a", "ixy<bs>z<esc>", "x¦za"),
    # visual modes
    ("a¦bcd", "vld", "a¦d"),
    ("abc¦d", "vhhcx<esc>", "a¦x"),
    ("¦a\nb\nc", "Vjd", "¦c"),
    ("¦foo bar", "viwy$p", "foo barfo¦o"),
    ("¦foo bar", "vey/b<cr>viwp", "foo fo¦o"),
    ("¦ab\ncd", "v$d", "¦cd"),
    ("a¦bc", "vlU", "a¦BC"),
    ("¦a\nb\nc", "VjJ", "a¦ b\nc"),
    ("¦a\nb", "Vj2>", "        ¦a\n        b"),
    ("abc¦d", "vhohd", "ab¦d"),
    ("f(a, ¦b)", "vi(d", "f(¦)"),
    # again, undo, redo, registers
    ("¦a b c", "dw.", "¦c"),
    ("¦a b c", "cwx<esc>w.", "x ¦x c"),
    ("¦a\nb\nc", "Ax<esc>j.", "ax\nb¦x\nc"),
    ("¦aaa bbb", "vlrx/b<cr>.", "xxa ¦xxb"),
    ("¦a b c d", "dw2.", "¦d"),
    ("¦abc", "x3rz.", "¦c"),
    ("¦a b", "dwu", "¦a b"),
    ("¦a b c", "dwdwuu<c-r>", "¦b c"),
    ("¦a b", '"ayw$"ap', "a ba¦ "),
    ("¦a b", 'yw"_dlP', "a¦  b"),
]


@pytest.mark.parametrize(("before", "keys", "expected"), CASES)
def test_as_vim_does(before: str, keys: str, expected: str) -> None:
    assert after(before, keys) == expected


def test_the_mode_and_an_unfinished_command_can_be_read() -> None:
    editor = Editor("ab cd\nef")
    labels = []
    for key in keys_of("2d<esc>ix<esc>vjV<esc>/cd"):
        editor.press(key)
        labels.append(editor.vim.label)
    assert labels == [
        "NORMAL 2", "NORMAL 2d", "NORMAL", "INSERT", "INSERT", "NORMAL",
        "VISUAL", "VISUAL", "VISUAL LINE", "NORMAL", "NORMAL /", "NORMAL /c", "NORMAL /cd",
    ]  # fmt: skip


def test_what_is_no_key_of_vims_is_left_to_others() -> None:
    editor = Editor("ab")
    handled = {key: editor.press(key) for key in ("f5", "ctrl+s", "tab", "escape", "Q", "é", "1")}
    assert handled == {"f5": False, "ctrl+s": False, "tab": False, "escape": False,
                       "Q": True, "é": True, "1": True}  # fmt: skip
    assert editor.press("f5") is False, "nor after a count"
    assert editor.vim.label == "NORMAL"
    assert editor.text == "ab"


def test_the_clipboard_is_a_register() -> None:
    editor = Editor("one two\nthree")
    for key in keys_of('"+yw"+yy'):
        editor.press(key)
    assert editor.copied == ["one ", "one two\n"]
    editor.vim.clipboard = "x\r\ny\r\n"
    for key in keys_of('"+p'):
        editor.press(key)
    assert editor.text == "one two\nx\ny\nthree"


def test_a_selection_of_the_mouse_is_one_of_vims() -> None:
    for begin, end in ((1, 4), (4, 1)):
        editor = Editor("abcdef")
        editor.vim.adopt(begin, end)
        assert editor.vim.label == "VISUAL"
        editor.press("d")
        assert (editor.text, editor.cursor, editor.vim.mode) == ("aef", 1, "normal")


KEYS = [*"hjklwbeWBE0^$gGftFT;,%{}dcyxXsSDCYrJpPuiaIAoOvV.><~2/?nN'\"()[", " ", "é",
        "escape", "enter", "backspace", "delete", "left", "down", "ctrl+r", "f5"]  # fmt: skip


@given(
    text=st.text(alphabet="ab _.,()'\"[]{}\n\té日", max_size=30),
    cursor=st.integers(0, 30),
    keys=st.lists(st.sampled_from(KEYS), max_size=12),
)
def test_any_keys_leave_a_cursor_in_the_text(text: str, cursor: int, keys: list[str]) -> None:
    editor = Editor(text, min(cursor, len(text)))
    editor.press("0")
    for key in keys:
        editor.press(key)
        assert 0 <= editor.cursor <= len(editor.text)
        if editor.vim.visual:
            assert 0 <= editor.vim.anchor <= len(editor.text)
    editor.press("escape")
    editor.press("escape")
    assert (editor.vim.mode, editor.vim.unfinished) == ("normal", False)
    behind = editor.text[editor.cursor :]
    before = editor.text[: editor.cursor]
    assert behind[:1] not in ("", "\n") or before[-1:] in ("", "\n"), "on a character, if any"
