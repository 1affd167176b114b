"""A calendar program that stays open: it is told what to do by lines and answers in JSON, a line each."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Sitting:
    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        self.found = self._heard()

    def told(self, line: str) -> Any:
        self._tell(line)
        return self._heard()

    def end(self) -> int:
        self._tell("end")
        return self._program.wait(20)

    def _tell(self, line: str) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(f"{line}\n")
        self._program.stdin.flush()

    def _heard(self) -> Any:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, f"it ended with {self._program.wait(20)}"
        return json.loads(line)


@contextmanager
def sitting(command: Sequence[str | Path], environment: Mapping[str, str]) -> Iterator[Sitting]:
    """From its first words to its end, which must be an orderly one."""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            made = Sitting(program)
            yield made
            assert made.end() == 0
        finally:
            program.kill()
