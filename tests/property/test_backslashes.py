"""Texts that ML Metadata stores in PostgreSQL have no backslash, and come back as they were."""

from hypothesis import given
from hypothesis import strategies as st
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.store import backslashes

TEXTS = st.text(st.sampled_from("\\\ue000be'\"x") | st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_a_text_comes_back(text: str) -> None:
    encoded = backslashes.encoded(text)
    assert "\\" not in encoded
    assert backslashes.decoded(encoded) == text
    assert ("\\" in text or "\ue000" in text) == (encoded != text)


@given(TEXTS, TEXTS)
def test_all_texts_of_a_message_come_back(first: str, second: str) -> None:
    execution = mlmd.Execution(name=first, last_known_state="COMPLETE")
    execution.properties["n"].int_value = 7
    execution.custom_properties["text"].string_value = second
    event = mlmd.Event(path={"steps": [{"key": first}, {"index": 1}]})
    for message in (execution, event):
        before = type(message).FromString(message.SerializeToString())
        backslashes.encode(message)
        assert b"\\" not in message.SerializeToString()
        backslashes.decode(message)
        assert message == before
