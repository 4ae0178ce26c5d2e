"""The trained models that were rolled back: neither compared with nor trained on from."""

from __future__ import annotations

from collections.abc import Collection

from tfx.types import Artifact
from tfx.utils import path_utils

from components.pusher.publish import identity
from components.pusher.serving_history import key_of


class WithdrawnModels:
    """The models that were rolled back.

    Args:
        keys: The keys of their identities, see `serving_history.withdrawn`.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = frozenset(keys)

    def __contains__(self, model: Artifact) -> bool:
        """Returns whether a trained model was rolled back; no file is read if none was."""
        own = identity(path_utils.serving_model_path(model.uri)) if self._keys else None
        return own is not None and key_of(own) in self._keys
