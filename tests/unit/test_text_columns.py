"""What a column can be, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.sources.columns import MAP_NAMES, roles_of
from core.sources.preview import TableColumn
from tui.text.columns import ROLES, lost_role, mapped, mapping_in_words, meant


def test_each_role_that_can_be_mapped_has_words() -> None:
    assert {role.name for role in ROLES} == set(MAP_NAMES)
    assert len({role.label for role in ROLES}) == len(ROLES)


def test_a_mapping_in_words() -> None:
    assert mapping_in_words({"created": "when", "text": "body", "lang": ""}) == (
        "text: body, date: when, language: (no name)"
    )
    assert mapping_in_words({}) == ""


def test_a_column_goes_from_one_role_to_another() -> None:
    before = mapped(mapped({}, "text", "body"), "author", "nick")
    after = mapped(before, "created", "body")
    assert after == {"author": "nick", "created": "body"}
    assert lost_role(before, after) == "body is no longer read as text: a column has one role."
    assert lost_role(after, mapped(after, "author", None)) == ""


columns = st.lists(
    st.sampled_from(["text", "content", "user", "when", "id", "kind"]), unique=True, min_size=1
)


@given(columns, st.data())
def test_what_is_meant_is_what_is_read(names: list[str], data: st.DataObject) -> None:
    mapping: dict[str, str] = {}
    for role in data.draw(st.lists(st.sampled_from(["text", "author", "created"]), max_size=4)):
        mapping = mapped(mapping, role, data.draw(st.none() | st.sampled_from(names)))
    guessed = {name: role for role, name in roles_of(names, {}, "it").items()}
    now = meant([TableColumn(name, "", guessed.get(name, "")) for name in names], mapping)
    assert {role: column.name for role, column in now.items()} == roles_of(names, mapping, "it")
