"""How much of each account an epoch holds: a number each, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.numbers import percent
from core.safe_text import printable
from tui.state import LEAST_WEIGHT, MOST_WEIGHT
from tui.text.blends import capped, times
from tui.widgets.field import Field
from tui.widgets.field_form import FieldForm
from tui.widgets.panel import Dialog
from tui.widgets.typed_field import NumberField

if TYPE_CHECKING:
    from core.dataset.shares import Share

Weights = dict[str, float]


class WeightsScreen(Dialog["Weights"]):
    """Answers with the weights that are not 1; each change shows the shares at once.

    ``expect`` gives the shares that some weights would come to.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "close", "Take"),
        ("e", "equal", "Equal shares"),
    ]

    def __init__(
        self,
        handles: Sequence[str],
        weights: Mapping[str, float],
        expect: Callable[[Weights], list[Share]],
    ) -> None:
        super().__init__()
        self._handles = sorted(handles)
        self._weights = {handle: weights.get(handle, 1.0) for handle in self._handles}
        self._expect = expect

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="weights") as dialog:
            dialog.border_title = "Weights"
            dialog.border_subtitle = "enter types · e equal · esc takes them"
            with Horizontal(id="weights-head"):
                yield Static("  account, and its weight", classes="weight-field", markup=False)
                yield Static("of an epoch", classes="weight-share", markup=False)
            with FieldForm(id="weights-form"):
                for handle in self._handles:
                    with Horizontal(classes="weight-row"):
                        yield NumberField(
                            handle,
                            f"@{handle}",
                            value=self._weights[handle],
                            minimum=LEAST_WEIGHT,
                            maximum=MOST_WEIGHT,
                            factor=2,
                            decimals=None,
                            classes="weight-field",
                        )
                        yield Static("", classes="weight-share", markup=False)
            yield Static("", id="weights-note", markup=False)

    def on_mount(self) -> None:
        self.query_one(FieldForm).focus_first()
        self._show()

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        self._weights[event.key] = float(event.value)
        self._show()

    def _show(self) -> None:
        shares = {share.handle: share for share in self._expect(self._chosen)}
        for handle, shown in zip(
            self._handles, self.query("#weights-form .weight-share").results(Static), strict=True
        ):
            share = shares.get(handle)
            shown.update("nothing kept" if share is None else _figures(share))
        note = Text()
        for one in shares.values():
            if one.capped:
                note.append("▲ " + printable(capped(one)) + "\n")
        note.append(
            "Shares are of tokens. × says how often an epoch shows a tweet; the account that is "
            "largest for its weight is shown once.",
            "dim",
        )
        self.query_one("#weights-note", Static).update(note)

    @property
    def _chosen(self) -> Weights:
        return {handle: weight for handle, weight in self._weights.items() if weight != 1}

    def action_equal(self) -> None:
        self._weights = dict.fromkeys(self._handles, 1.0)
        self.query_one(FieldForm).set_values(self._weights)
        self._show()

    def action_close(self) -> None:
        focused = self.focused
        if isinstance(focused, NumberField):
            focused.action_commit()
        self.dismiss(self._chosen)


def _figures(share: Share) -> Text:
    text = Text(f"{percent(share.share):>7}  {times(share) or '×1':<5}")
    if share.capped:
        text.append("▲ the most", "bold")
    return text
