"""Type checkers have nothing to say about the package, the examples, and what uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(str(path) for path in (ROOT / "examples").glob("*.py"))
PATHS = ["python/kucoin_futures", *EXAMPLES, "tests/typing_check.py"]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types_are_understood(checker: str) -> None:
    pytest.importorskip(checker)
    strict = ["--strict"] if checker == "mypy" else ["--pythonpath", sys.executable]
    args = [sys.executable, "-m", checker, *strict, *PATHS]
    done = subprocess.run(args, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
