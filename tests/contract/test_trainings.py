"""What every training owes: the same model twice, after a kill too, and answers that stand by themselves."""

from __future__ import annotations

import json
import signal
from multiprocessing.context import BaseContext
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.tasks.answers import open_answers
from tests import processes
from tests.contract.cases import TRAINED, Case, outcome, places, train
from trainer.data.tfrecords import stream
from trainer.jobs import saved_model

pytestmark = pytest.mark.slow

PROBED = [case for case in TRAINED if case.task.probes(case.job)]
ASKED = [case for case in TRAINED if "predict" in case.task.answers()]


def texts(published) -> list[str]:
    return [" ".join(one.tokens or one.segments) for one in published.corpus.documents["eval"]]


def identities(records: list[bytes]) -> list[str]:
    examples = (tf.train.SequenceExample.FromString(record) for record in records)
    return [example.context.feature["id"].bytes_list.value[0].decode() for example in examples]


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_a_model_names_its_task_and_opens_for_each_of_its_commands(case: Case, published) -> None:
    model = published(case).model
    assert saved_model.made_by(str(model)) == case.task.name
    assert case.task.answers()
    for command in case.task.answers():
        assert open_answers(model, command)


@pytest.mark.parametrize("case", PROBED, ids=str)
def test_all_signatures_agree_on_the_same_documents(case: Case, published) -> None:
    done = published(case)
    model, probes = saved_model.load(str(done.model)), case.task.probes(case.job)
    given = {"text": texts(done)}
    for form, files in (("raw", done.corpus.raw), ("transformed", done.corpus.transformed)):
        given[form] = [record.numpy() for record in stream(files["eval"])]
        assert identities(given[form]) == [one.id for one in done.corpus.documents["eval"]]
    found = {}
    for form, signature in probes.items():
        argument = "text" if form == "text" else "examples"
        answers = model.signatures[signature](**{argument: tf.constant(given[form])})
        found[form] = {name: value.numpy() for name, value in answers.items()}
    shared = set.intersection(*map(set, found.values()))
    assert shared
    for name in shared:
        for form in probes:
            if found["text"][name].dtype.kind == "f":
                np.testing.assert_allclose(found[form][name], found["text"][name], atol=1e-6)
            else:
                np.testing.assert_array_equal(found[form][name], found["text"][name])


@pytest.mark.parametrize("case", ASKED, ids=str)
def test_answers_depend_neither_on_the_batch_nor_on_padding(case: Case, published) -> None:
    answers, asked = open_answers(published(case).model, "predict"), texts(published(case))[:5]
    together = answers([*asked, "", " ".join(["w1"] * 200)])
    for text, found in zip([*asked, ""], together, strict=False):
        (alone,) = answers([text])
        assert alone.keys() == found.keys()
        for name, value in alone.items():
            numbers = list(value.values()) if isinstance(value, dict) else value
            others = list(found[name].values()) if isinstance(value, dict) else found[name]
            if np.asarray(numbers).dtype.kind == "f":
                np.testing.assert_allclose(numbers, others, atol=1e-6)
            else:
                assert numbers == others


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_another_process_trains_the_same_model_also_when_it_is_killed_and_resumes(
    case: Case, published, tmp_path
) -> None:
    done, trainer = published(case), case.job.trainer

    def end(context: BaseContext, folder: Path, *killed_after: float) -> int:
        given = (case.task.training(case.job), trainer.model_dump_json(), places(done.corpus, folder), *killed_after)
        return processes.exit_code(context, train, *given)

    assert end(processes.FRESH, tmp_path / "straight") == 0
    assert outcome(tmp_path / "straight") == outcome(done.folder)
    # A training that saves within epochs has to resume from there.
    saves = "checkpoint_steps" in type(trainer).model_fields
    assert end(processes.forked(), tmp_path / "killed", 0.5 if saves else 0.0) == -signal.SIGKILL
    last = tf.train.latest_checkpoint(str(tmp_path / "killed" / "checkpoints" / "last"))
    state = json.loads(tf.train.load_variable(last, "state/.ATTRIBUTES/VARIABLE_VALUE"))
    assert (state["epoch"], bool(state["within"])) == (1, saves)
    assert end(processes.forked(), tmp_path / "killed") == 0
    assert outcome(tmp_path / "killed") == outcome(done.folder)
