"""Spans, versions and rolling windows of a corpus, with the cache between runs."""

from tests.component.corpus_job import documents


def texts(*prefixes: str, count: int = 60) -> list[str]:
    return sorted(f"{prefix} {number}" for prefix in prefixes for number in range(count))


def span_and_version(job):
    properties = job.artifact().custom_properties
    return properties["span"].int_value, properties["version"].int_value


def test_the_newest_version_of_the_newest_span_is_read(job):
    for folder, name in (("02/v1", "old"), ("09/v1", "first"), ("09/v10", "tenth"), ("09/v9", "ninth")):
        job.write(f"span-{folder}/a.jsonl", documents(name, 60))
    path = "span-{SPAN:2}/v{VERSION}/*.jsonl"
    job.run(path)
    assert job.texts() == texts("tenth")
    assert span_and_version(job) == (9, 10)
    job.run(path)
    job.run(path, span="latest")
    assert job.states() == ["COMPLETE", "CACHED", "COMPLETE"]
    assert job.texts() == texts("tenth")
    job.write("span-10/v1/a.jsonl", documents("new", 60))
    job.run(path)
    assert job.states()[-1] == "COMPLETE"
    assert job.texts() == texts("new")
    assert span_and_version(job) == (10, 1)
    job.run(path, span=2)
    assert job.texts() == texts("old")
    assert span_and_version(job) == (2, 1)


def test_a_rolling_window_reads_the_last_spans_together(job):
    for span in (1, 2, 5):
        job.write(f"{span}.jsonl", documents(f"span {span}", 60))
    job.run("{SPAN}.jsonl", rolling=2)
    assert job.texts() == texts("span 2", "span 5")
    assert span_and_version(job) == (5, 0)
    fingerprint = job.artifact().custom_properties["input_fingerprint"].string_value
    assert fingerprint.startswith("files:2,")
    job.write("1.jsonl", documents("changed", 60))
    job.run("{SPAN}.jsonl", rolling=2)
    assert job.states() == ["COMPLETE", "CACHED"]
    job.write("2.jsonl", documents("changed", 60))
    job.run("{SPAN}.jsonl", rolling=2)
    assert job.states()[-1] == "COMPLETE"
    assert job.texts() == texts("changed", "span 5")
    job.write("7.jsonl", documents("span 7", 60))
    job.run("{SPAN}.jsonl", rolling=2)
    assert job.texts() == texts("span 5", "span 7")
    job.run("{SPAN}.jsonl", rolling=9, span=5)
    assert job.texts() == sorted([*texts("changed") * 2, *texts("span 5")])


def test_each_split_is_read_from_its_own_files_of_the_span(job):
    for split, count in (("train", 7), ("eval", 3), ("test", 2)):
        for span in (1, 2):
            job.write(f"{split}/{span:03}.jsonl", documents(f"{split} {span}", count))
    path = {split: f"{split}/{{SPAN}}.jsonl" for split in job.splits}
    job.run(path)
    assert job.texts("train") == texts("train 2", count=7)
    assert job.texts("eval") == texts("eval 2", count=3)
    assert job.texts("test") == texts("test 2", count=2)
    job.run(path, span=1)
    assert job.texts("test") == texts("test 1", count=2)
