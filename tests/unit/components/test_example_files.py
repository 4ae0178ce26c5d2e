"""The locations of an Examples artifact's files, against what TFX itself finds."""

from pathlib import Path

from tfx.types import artifact_utils, standard_artifacts

from components.shared.example_files import shard_path, shard_paths, split_folder


def test_a_split_is_where_tfx_looks_for_it(tmp_path: Path) -> None:
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(tmp_path), artifact_utils.encode_split_names(["train", "test"])
    for split in ("train", "test"):
        assert split_folder(examples.uri, split) == artifact_utils.get_split_uri([examples], split)


def test_shards_are_named_by_number_and_listed_in_order(tmp_path: Path) -> None:
    uri = str(tmp_path)
    made = [shard_path(uri, "train", shard, 12, ".gz") for shard in (11, 2, 0)]
    assert made[0] == f"{uri}/Split-train/data_tfrecord-00011-of-00012.gz"
    assert shard_path(uri, "test", 0, 1, "") == f"{uri}/Split-test/data_tfrecord-00000-of-00001"
    (tmp_path / "Split-train").mkdir()
    for path in (*made, f"{uri}/Split-train/other", f"{uri}/data_tfrecord-00000-of-00001.gz"):
        Path(path).touch()
    assert shard_paths(uri, "train") == sorted(made)
    assert shard_paths(uri, "test") == []
