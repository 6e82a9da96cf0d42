"""Two or more examples of each command, for its ``--help``, the man page, and a test."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "demo": ("mynah demo", "mynah demo --headless --minutes 1"),
    "import": (
        "mynah import ~/Downloads/twitter-2024-11-12.zip",
        "mynah import tweets.csv --handle nasa",
        "mynah import rows.csv --map text=body,date=posted_on --date-format '%d.%m.%Y'",
    ),
    "fetch": (
        "mynah fetch @nasa --estimate",
        "mynah fetch nasa --max 500 --budget 1",
    ),
    "accounts": ("mynah accounts", "mynah accounts --json"),
    "stats": ("mynah stats", "mynah stats nasa --recipe classic --json"),
    "profile": ("mynah profile nasa", "mynah profile nasa potus --json"),
    "compare": (
        "mynah compare standard classic nasa",
        "mynah compare standard strict --tweets 20",
    ),
    "sql": (
        "mynah sql 'FROM account_stats'",
        "mynah sql \"SELECT text FROM tweets WHERE handle = 'nasa' LIMIT 5\" --json",
        "mynah sql -f question.sql -o answer.parquet",
    ),
    "curate": (
        "mynah curate @nasa -o curated",
        "mynah curate tweets.parquet -o curated --recipe strict --engine ray",
    ),
    "export": (
        "mynah export nasa -o nasa.csv",
        "mynah export nasa potus -o both.jsonl --split 0.1 --weights nasa=2,potus=1",
        "mynah export nasa -o nasa-dataset --format hf",
    ),
    "verify": ("mynah verify nasa.csv.manifest.json", "mynah verify curated nasa-dataset"),
    "exclude": ("mynah exclude 1027690000000000000", "mynah exclude 1027690000000000000 --undo"),
    "forget": (
        "mynah forget nasa --dry-run",
        "mynah forget nasa",
        "mynah forget --tweet 1027690000000000000 --yes",
    ),
    "train": (
        "mynah train nasa --minutes 5",
        "mynah train nasa potus --weights nasa=2,potus=1 --preset quality",
        "mynah train --from latest --minutes 5",
        "mynah train nasa --answers --minutes 5",
        "mynah train nasa --base scratch --max-steps 100 --detach --json",
    ),
    "sweep": ("mynah sweep rates.toml nasa", "mynah sweep rates.toml nasa --trials 8"),
    "runs": ("mynah runs", "mynah runs --filter 'lr>=1e-3 handle:nasa -tag:old' --json"),
    "runs rename": ("mynah runs rename latest 'night shift'", "mynah runs rename 2026 ''"),
    "runs note": ("mynah runs note latest 'too short'", "mynah runs note latest ''"),
    "runs tag": ("mynah runs tag latest baseline", "mynah runs tag latest --remove baseline"),
    "runs delete": ("mynah runs delete latest", "mynah runs delete 20261120 20261121 --yes"),
    "trash": ("mynah trash", "mynah trash --json"),
    "trash list": ("mynah trash list", "mynah trash list --json"),
    "trash restore": ("mynah trash restore 20261120", "mynah trash restore 20261120 --json"),
    "trash empty": ("mynah trash empty", "mynah trash empty 20261120 --yes"),
    "watch": ("mynah watch latest", "mynah watch latest --once"),
    "stop": ("mynah stop latest", "mynah stop 'night shift' --json"),
    "resume": ("mynah resume latest", "mynah resume latest --detach"),
    "track": (
        "mynah track latest --to tensorboard",
        "mynah track latest --to wandb --project birds --mode offline",
    ),
    "sample": (
        "mynah sample latest",
        "mynah sample latest --prompt 'My dream is' -n 20 --temperature 0.8 --seed 7",
        "mynah sample latest --reply-to 'How is the fog?'",
        "mynah sample 'night shift' --json",
        "mynah sample latest -n 1000 -o samples.jsonl",
        "mynah sample latest --prompts prompts.txt -n 3",
        "mynah sample --repeat 3f9a",
    ),
    "blind": ("mynah blind latest", "mynah blind latest -n 20 --feedback"),
    "report": ("mynah report latest", "mynah report latest --leaks -o report.md"),
    "card": ("mynah card latest", "mynah card latest -o README.md --layout one"),
    "share": ("mynah share latest --list", "mynah share latest --index 3 -o dream.png --show"),
    "convert": (
        "mynah convert latest --to gguf -o nasa.gguf --quant q8_0",
        "mynah convert latest --to ollama -o nasa-ollama",
    ),
    "publish": (
        "mynah publish latest",
        "mynah publish latest --repo me/nasa-bot --public",
        "mynah publish latest --unpublish",
    ),
    "config": ("mynah config", "mynah config --json"),
    "config get": ("mynah config get train.minutes", "mynah config get app.theme --json"),
    "config set": (
        "mynah config set train.minutes 5",
        "mynah config set keymap.data.add f6,insert",
    ),
    "config unset": ("mynah config unset train.minutes", "mynah config unset app.theme --json"),
    "doctor": ("mynah doctor", "mynah doctor --json"),
    "completion": (
        "mynah completion bash > ~/.local/share/bash-completion/completions/mynah",
        "mynah completion fish > ~/.config/fish/completions/mynah.fish",
    ),
    "man": ("mynah man > mynah.1", "mynah man --home ."),
}


def examples_of(command: str) -> str:
    """The end of a command's help; empty where there is no example."""
    lines = EXAMPLES.get(command, ())
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]) if lines else ""
