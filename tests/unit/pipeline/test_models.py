"""Where published models are, and which are refused."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.runs import published
from pipeline.runs import record as history
from trainer.errors import JobError


class Other(tf.Module):
    """A model that does something else."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def serve(self, x):
        return {"y": x}


def save(module, path):
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    return path


def load(path):
    return published.load(path, "text", {"label"})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save(Other(), tmp_path_factory.mktemp("model") / "saved")


def test_a_number_is_the_shortest_decimal_of_its_float32():
    assert published.shortest(np.float32(0.98)) == 0.98
    assert published.shortest(np.float32(1.0)) == 1.0


def test_the_newest_published_version_of_a_root_is_taken(root, model):
    assert published.find_model(root) == root / "serving" / "10"
    assert published.find_model(model) == model


def test_a_root_without_a_model_says_why(tmp_path):
    with pytest.raises(JobError, match="does not exist"):
        published.find_model(tmp_path / "none")
    with pytest.raises(JobError, match="seqloom run") as caught:
        published.find_model(tmp_path)
    assert caught.value.where == str(tmp_path / "serving")
    verdict = history.Verdict(blessed=False, reasons=("accuracy 0.7 is below 0.85",))
    history.write(tmp_path, history.new_run(tmp_path, "a").updated(state="not_blessed", verdict=verdict))
    with pytest.raises(JobError, match=r"is not blessed: accuracy 0\.7 is below 0\.85"):
        published.find_model(tmp_path)


def test_other_models_are_refused(tmp_path):
    with pytest.raises(JobError, match=r"from \['x'\] to \['y'\]"):
        load(save(Other(), tmp_path / "other"))
    tf.saved_model.save(Other(), str(tmp_path / "bare"), {})
    with pytest.raises(JobError, match="does not accept texts"):
        load(tmp_path / "bare")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(JobError, match="cannot be loaded"):
        load(tmp_path / "bad")
