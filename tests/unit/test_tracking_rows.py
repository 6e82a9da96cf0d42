"""A journal as numbered rows: the same whenever it is read, each step once."""

from __future__ import annotations

from core.tracking.rows import Row, Rows
from tests.unit.tracked_runs import measure, start, train


def steps(rows: list[Row]) -> list[tuple[str, int]]:
    return [("train" if "train/loss" in row.values else "eval", row.step) for row in rows]


def test_lines_of_measurements_become_rows_with_the_fields_names() -> None:
    rows = Rows().of([start(), measure(0, "before"), {"time": 12.5, **train(3)}])
    assert [(row.number, row.step) for row in rows] == [(0, 0), (1, 3)]
    assert rows[1].time == 12.5
    assert rows[1].values == {
        "train/global_step": 3.0, "train/loss": 4.7, "train/learning_rate": 0.003,
        "train/grad_norm": 1.5, "train/tokens": 768.0, "train/seconds": 3.0,
    }  # fmt: skip
    assert rows[0].values == {
        "train/global_step": 0.0, "eval/loss": 4.0, "eval/tokens": 2210.0,
        "eval/bits_per_byte": 1.5,
    }  # fmt: skip


def test_what_is_new_in_a_line_is_carried_without_a_list_of_names() -> None:
    (row,) = Rows().of([{**measure(4), "memorised": 0.25, "why": "text", "ok": True}])
    assert row.values["eval/memorised"] == 0.25
    assert not {"eval/why", "eval/ok", "eval/phase"} & set(row.values)


def test_a_loss_that_is_not_a_number_leaves_a_gap_and_a_row() -> None:
    rows = Rows().of([train(1), {**train(2), "loss": None}, train(3)])
    assert [row.number for row in rows] == [0, 1, 2]
    assert "train/loss" not in rows[1].values


def test_all_held_out_tweets_have_a_name_of_their_own() -> None:
    rows = Rows().of([train(8), measure(8, "after"), measure(8, "all")])
    assert "eval/loss" in rows[1].values
    assert "eval_all/loss" in rows[2].values


def test_steps_that_a_resumed_run_does_again_are_passed_over() -> None:
    first = [start(), measure(0, "before"), train(2), train(4), measure(4), train(6)]
    again = [start(resumed_from=2), train(4), measure(4), train(5), train(7), measure(7), train(9)]
    rows = Rows().of(first + again)
    assert steps(rows) == [
        ("eval", 0), ("train", 2), ("train", 4), ("eval", 4), ("train", 6), ("train", 7),
        ("eval", 7), ("train", 9),
    ]  # fmt: skip
    assert [row.number for row in rows] == list(range(len(rows)))


def test_one_that_starts_again_at_its_beginning_does_not_repeat_it() -> None:
    rows = Rows().of([measure(0, "before"), train(3), start(resumed_from=0), measure(0, "before")])
    assert steps(rows) == [("eval", 0), ("train", 3)]


def test_reading_in_slices_gives_the_same_rows() -> None:
    lines = [start(), measure(0, "before"), *(train(n) for n in (1, 2, 3, 2, 3, 4)), measure(4)]
    whole, sliced = Rows().of(lines), Rows()
    assert [row for line in lines for row in sliced.of([line])] == whole


def test_a_sample_of_the_machine_goes_with_the_next_row_and_only_with_that() -> None:
    samples = [{"kind": "system", "time": 10.0 * n, "cpu": float(n)} for n in (1, 2, 9)]
    made = Rows().of([train(1), samples[0], samples[1], train(2), train(3), samples[2]])
    assert [row.values.get("system/cpu") for row in made] == [None, 2.0, None]
    assert not any("system/time" in row.values for row in made)


def test_damaged_lines_are_no_rows() -> None:
    assert Rows().of([{}, {"kind": "train"}, {"kind": "train", "step": "3"}, {"step": 3}]) == []
    odd = {"time": "noon", "loss": 10**400, "cpu": 10**400, "lr": float("nan"), "tokens": 7}
    (row,) = Rows().of([{"kind": "train", "step": 3, **odd}])
    assert (row.time, row.values) == (0.0, {"train/global_step": 3.0, "train/tokens": 7.0})
