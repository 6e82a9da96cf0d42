"""What the app says to a person: open this for what becomes a line, and what a toast."""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notify, SeverityLevel
from textual.timer import Timer

from core.safe_text import printable


class NoticeApp(App[None]):
    """Short words stand in one line above the footer, all others in toasts."""

    notice: str = ""
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
        """Instead of a toast one line, where that is enough: it covers nothing that one reads."""
        from tui.section.screen import Section

        note = event.notification
        words = f"{note.title}: {note.message}" if note.title else note.message
        screen = self.screen_stack[-1] if self.screen_stack else None
        if note.severity == "error":  # what was said to begin has not, or is over
            self._notice_over()
        if not isinstance(screen, Section) or note.severity != "information":
            return
        if not screen.holds_notice(words):
            return
        event.prevent_default()  # Textual's own
        if self._notice_ends is not None:
            self._notice_ends.stop()
        self._notice_ends = self.set_timer(note.timeout, self._notice_over)
        self._show_notice(words)

    def _notice_over(self) -> None:
        self._show_notice("")

    def _show_notice(self, words: str) -> None:
        from tui.section.screen import Section

        self.notice = words
        for screen in self.screen_stack:
            if isinstance(screen, Section):
                screen.show_notice(words)
