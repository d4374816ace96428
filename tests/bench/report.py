"""The output of a benchmark: figures, and bars as TAP and JSON."""


class Report:
    """Bars and figures, as TAP and as JSON."""

    def __init__(self):
        self.number = 0
        self.failed = 0
        self.figures = {}

    def figure(self, name, value, unit=""):
        self.figures[name] = value
        print(f"# {name:<46} {value:>10.3f} {unit}", flush=True)

    def bar(self, name, value, limit, at_least=False):
        self.number += 1
        good = value >= limit if at_least else value <= limit
        self.failed += not good
        self.figures[name] = value
        word = "at least" if at_least else "at most"
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}: {value:.3f}, {word} {limit}",
              flush=True)

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)
