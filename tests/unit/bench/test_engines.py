"""The benchmark of Beam's engines: its table."""

from bench import engines


def test_the_table_has_the_throughput_and_its_ratio_to_the_first_engine() -> None:
    def runs(*totals: float) -> list[dict[str, float]]:
        parts = {"CorpusExampleGen": 0.5, "StatisticsGen": 0.25, "ExampleValidator": 0, "SequenceTransform": 0.25}
        return [{name: share * total for name, share in parts.items()} for total in totals]

    text = engines.report({"local": runs(20, 10, 40), "prism": runs(40)}, 1_000)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert cells[2:] == [
        ["local", "50", "1.00", "10.0", "5.0", "0.0", "5.0"],
        ["prism", "25", "0.50", "20.0", "10.0", "0.0", "10.0"],
    ]
