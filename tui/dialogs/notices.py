"""What the app says to a person: open this for how long it stays, and where it stands."""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notify, SeverityLevel
from textual.timer import Timer

from core.safe_text import printable
from tui.section.notice_lines import NoticeLines


class NoticeApp(App[None]):
    """What is said stands in lines above the footer, and at the bottom of a page."""

    _notice_ends: Timer | None = None

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but text from outside can carry no markup and no control characters."""
        super().notify(
            printable(message, keep_newlines=True),
            title=printable(title),
            severity=severity,
            timeout=timeout,
            markup=markup,
        )

    def _on_notify(self, event: Notify) -> None:
        """A newer word takes the place of the one before; warnings and errors stay for their time.

        Textual's own, which follows, keeps what was said and draws it.
        """
        if event.notification.severity == "warning":
            return
        # with an error, what was said to begin has not, or is over
        for note in [one for one in self._notifications if one.severity == "information"]:
            self._unnotify(note, refresh=False)

    def _refresh_notifications(self) -> None:
        """In place of toasts: they would cover what one reads. Textual calls it for each screen
        that comes to the front, too.
        """
        if self._notice_ends is not None:
            self._notice_ends.stop()
            self._notice_ends = None
        notes = list(self._notifications)
        if notes:
            soonest = min(note.time_left for note in notes)
            self._notice_ends = self.set_timer(max(0.01, soonest), self._refresh_notifications)
        if not self._screen_stacks or not self.screen_stack:
            return
        *behind, front = self.screen_stack
        for screen in behind:  # where it would be seen a second time, below a page
            for lines in screen.query_children(NoticeLines):
                lines.show([])
        for lines in front.query_children(NoticeLines):
            lines.show(notes)
            return
        if notes and front.is_attached:
            lines = NoticeLines()
            front.mount(lines)
            lines.call_after_refresh(lines.show, notes)
