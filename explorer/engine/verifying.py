"""``models verify``: recompute a package's reference outputs and compare."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.errors import UserFacingError
from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage, verify_weights
from explorer.packages.reference import check_reference
from explorer.representations import BinaryCodes, Embeddings, Modality


def verify(name: str, model_folders: Sequence[Path], *, device: str = "cpu") -> list[str]:
    """What is wrong with this package, a sentence each; empty when all is well."""
    try:
        package = resolve_package(name, model_folders)
        verify_weights(package)
        reference = package.reference
        if reference is None:
            return ["It has no reference.json, so nobody can tell whether it still gives what it gave."]
        if package.manifest.family == "vision":
            # Imported here: torch takes seconds, and a wrong hash is told before.
            from explorer.vision import reference_outputs

            return check_reference(reference, None, lambda squares: reference_outputs(package, squares, device=device))
        return _verify_encoder(package, model_folders, device)
    except UserFacingError as error:
        return [str(error)]


def _verify_encoder(package: ModelPackage, model_folders: Sequence[Path], device: str) -> list[str]:
    from explorer.networks.encoder import sees_motion
    from explorer.networks.registry import load_encoder

    encoder = load_encoder(package, search_folders=model_folders, device=device)

    def texts(sentences: Sequence[str]) -> np.ndarray:
        return _numbers(encoder.encode_texts(sentences))

    def images(squares: np.ndarray) -> np.ndarray:
        return _numbers(encoder.encode_images(squares))

    assert package.reference is not None
    # A model that reads features instead of pictures makes up its own, see ThreeSHNetFeatureEncoder.
    features = getattr(encoder, "encode_reference_features", None)
    reads_text = Modality.TEXT in encoder.modalities
    clips = (lambda frames: _numbers(encoder.encode_videos(frames))) if sees_motion(encoder) else None
    return check_reference(package.reference, texts if reads_text else None, images, features, clips)


def _numbers(outputs: Embeddings | BinaryCodes) -> np.ndarray:
    """What can agree to a tolerance: of codes what their bits were rounded from, for a bit flips or does not."""
    if isinstance(outputs, Embeddings):
        return outputs.values
    return outputs.signs if outputs.activations is None else outputs.activations
