"""How many engagements a polling thread takes at once. Pure but for the number it keeps."""

_AIM = 0.5  # seconds


class Stride:
    """As many as can be asked about in half a second at the pace of late, so that the costs of a batch are shared where
    answers are quick, and nobody waits behind others where they are slow. Threads may share one: a lost update is
    made up for by the next.
    """

    def __init__(self, first: int = 8, most: int = 50) -> None:
        self._most = most
        self.size = first

    def took(self, count: int, seconds: float) -> None:
        """So many were asked about in that time."""
        if count > 0:
            fit = int(count * _AIM / seconds) if seconds > 0 else self._most
            self.size = max(1, min(fit, 2 * self.size, self._most))
