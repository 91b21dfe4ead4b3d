"""``evaluate`` on data sets of clips from the command line down, with small models whose answers are known."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from clip_collection import LEVELS, MOTIONS, ClipModels, write_clips

from explorer.cli import run_command
from explorer.engine import evaluating, evaluating_hashing
from explorer.errors import ConfigError, DatasetError, UserFacingError


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips for each of six pairs of level and motion, and a photo."""
    return write_clips(tmp_path_factory.mktemp("walls"), per_kind=2, photo=True).parent


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> ClipModels:
    fake = ClipModels()
    for module in (evaluating, evaluating_hashing):
        monkeypatch.setattr(module, "LoadedModels", lambda *_arguments, **_options: fake)
    return fake


def run_json(capsys: pytest.CaptureFixture[str], walls: Path, *arguments: object) -> list[Any]:
    assert run_command(["evaluate", "--dataset", str(walls), *map(str, arguments), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    return document if isinstance(document, list) else [document]


CLIPS = ("--items", "*.mp4", "--items", "*.mkv")


def test_recall_of_clips_beside_chance(models: ClipModels, walls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    levels, motions = run_json(capsys, walls, "-m", "levels", "-m", "motions", *CLIPS, "--ties", "mean")
    assert (motions["dataset"], motions["split"], motions["protocol"]) == ("walls", "all", "image-sentence")
    assert (motions["n_videos"], motions["n_sentences"]) == (12, 24)
    assert "image_to_text" not in motions
    assert motions["chance"]["text_to_video"]["r1"] == pytest.approx(100 / 12)
    assert motions["chance"]["video_to_text"]["r1"] == pytest.approx(100 * 2 / 24)
    # Two clips of each kind are alike, and four for a model that cannot see which way they change.
    assert motions["text_to_video"]["r5"] == 100
    assert motions["text_to_video"]["mean_rank"] <= 1.6
    assert 1.6 < levels["text_to_video"]["mean_rank"] < 4
    assert motions["notes"] == ["motions saw of each clip 5 frames of it together."]
    assert levels["notes"] == ["levels saw of each clip the mean of 8 frames, one by one."]


def test_codes_of_clips_are_ranked_by_hamming_distance(
    models: ClipModels, walls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bits,) = run_json(capsys, walls, "-m", "bits", *CLIPS)
    assert bits["other_ties"]["n_tied"] > 0
    assert bits["other_ties"]["text_to_video"]["r5"] > 80
    with pytest.raises(ConfigError, match="models of embeddings or models of codes, not both"):
        run_command(["evaluate", "--dataset", str(walls), *CLIPS, "-m", "bits", "-m", "levels", "--ensemble"])
    with pytest.raises(ConfigError, match="needs real embeddings, and bits makes binary codes"):
        run_command(["evaluate", "--dataset", str(walls), *CLIPS, "-m", "bits", "--timing"])
    with pytest.raises(ConfigError, match="needs real embeddings, and bits makes binary codes"):
        run_command(["evaluate", "--dataset", str(walls), "--items", "*.png", "-m", "bits"])


def test_frames_and_shots(models: ClipModels, walls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_json(capsys, walls, "-m", "levels", *CLIPS, "--frames", "2")
    assert {shape[0] for shape in models.encoders["levels"].seen} == {2}
    models.encoders["levels"].seen.clear()
    (report,) = run_json(capsys, walls, "-m", "levels", *CLIPS, "--clips", "best-shot", "--split", "all")
    assert {shape[0] for shape in models.encoders["levels"].seen} == {3}
    assert report["notes"] == ["levels saw the shots of each clip, 3 frames of each, one by one; the best shot counts."]


def test_what_fits_equally(
    models: ClipModels, walls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fits = {
        "same": [
            {"items": [f"{a} clips/{b} 0.mp4", f"{a} clips/{b} 1.mkv"], "because": "alike"}
            for a in LEVELS
            for b in MOTIONS
        ]
    }
    (tmp_path / "alike.json").write_text(json.dumps(fits))
    call = ("-m", "motions", *CLIPS, "--equivalents", tmp_path / "alike.json")
    (report,) = run_json(capsys, walls, *call)
    assert report["equivalents"]["text_to_video"] == {"r1": 100, "r5": 100, "r10": 100, "n_queries": 24}
    assert report["equivalents_chance"]["text_to_video"]["r1"] == pytest.approx(100 * 2 / 12)
    assert report["notes"][0] == "36 queries have more right answers than their own."
    written = tmp_path / "numbers.csv"
    assert run_command(["evaluate", "--dataset", str(walls), *map(str, call), "--csv", str(written)]) == 0
    out = capsys.readouterr().out
    assert "12 clips, 24 sentences." in out
    assert "| model | video to text R@1 / 5 / 10 |" in out
    assert "| chance | 8.3 / 38.0 / 67.0 | - | 8.3 / 41.7 / 83.3 | - |" in out
    assert "| motions | 100.0 / 100.0 / 100.0 | 100.0 / 100.0 / 100.0 |" in out
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert [row["part"] for row in rows if row["ties"] != "mean"] == ["all", "chance"]
    assert (rows[0]["items"], rows[0]["equivalents_text_to_image_r1"]) == ("clips", "100.0")
    assert float(rows[-1]["text_to_image_r1"]) == pytest.approx(100 / 12)


def test_clips_and_photos_together(models: ClipModels, walls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (report,) = run_json(capsys, walls, "-m", "levels")
    assert report["n_items"] == 13
    assert report["text_to_item"]["r10"] > 50
    with pytest.raises(ConfigError, match="texts sees no clips"):
        run_command(["evaluate", "--dataset", str(walls), "-m", "texts"])


DIRECTIONS = ("video_to_text", "text_to_video", "video_to_video", "text_to_text")


def test_codes_by_groups_of_labels(models: ClipModels, walls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--protocol", "hashing", *CLIPS, "--relevance", "any,motion,level,level+motion,equal")
    reports = run_json(capsys, walls, "-m", "levels", "-m", "bits", *arguments, "--binarise", "lsh", "--bits", "64")
    assert [(r["model"], r.get("relevance", "any")) for r in reports] == [
        (model, rule) for model in ("levels", "bits") for rule in ("any", "motion", "level", "level+motion", "equal")
    ]
    of_pictures = {report.get("relevance", "any"): report for report in reports[:5]}
    of_motion = {report.get("relevance", "any"): report for report in reports[5:]}
    assert all(list(DIRECTIONS) == [key for key in report if "_to_" in key] for report in reports)
    assert reports[0]["labels"] == "walls's own"
    for direction in DIRECTIONS[:3]:
        scores = {rule: report[direction]["map_tie_aware"] for rule, report in of_motion.items()}
        still = {rule: report[direction]["map_tie_aware"] for rule, report in of_pictures.items()}
        assert scores["motion"] > still["motion"] + 0.2  # which way cannot be seen in a mean of frames
        assert still["level"] > 0.9
        assert scores["equal"] == scores["level+motion"] > 0.8
    # What shares any label is what shares a level or a motion: 4 + 6 - 2 of the 12 clips.
    assert of_motion["any"]["text_to_video"]["random"] > of_motion["equal"]["text_to_video"]["random"]
    assert of_motion["any"]["text_to_video"]["precision_at"]["100"] == pytest.approx(0.08)
    assert of_motion["equal"]["text_to_video"]["precision_at"]["100"] == pytest.approx(0.02)


def test_tables_curves_and_figure_of_clips(
    models: ClipModels, walls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written, drawn = tmp_path / "curves.csv", tmp_path / "curves.svg"
    arguments = ["-m", "bits", *CLIPS, "--relevance", "motion,equal", "--csv", str(written), "--figure", str(drawn)]
    assert run_command(["evaluate", "--protocol", "hashing", "--dataset", str(walls), *arguments]) == 0
    out = capsys.readouterr().out
    assert "hashing, labels: walls's own, motion\n" in out
    assert "12 clips and 24 sentences search 12 clips and 24 sentences. Relevant is what shares a label of the" in out
    assert "Relevant is what shares all labels; a sentence has its clip's." in out
    assert "12 query clips are in the gallery, too: a clip or a sentence is never searched for itself" in out
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert {(row["relevance"], row["direction"]) for row in rows} == {
        (rule, direction) for rule in ("motion", "equal") for direction in DIRECTIONS
    }
    assert "video to text" in drawn.read_text()


def test_labels_by_file_name_and_from_elsewhere(
    models: ClipModels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_clips(tmp_path / "walls", per_kind=1)
    labels = json.loads((tmp_path / "walls" / "labels.json").read_text())
    (tmp_path / "walls" / "labels.json").unlink()
    with pytest.raises(ConfigError, match="The protocol hashing needs labels"):
        run_command(["evaluate", "--protocol", "hashing", "--dataset", str(path), "-m", "bits"])
    elsewhere = tmp_path / "mine.json"
    elsewhere.write_text(json.dumps(labels))
    (report,) = run_json(capsys, path, "--protocol", "hashing", "-m", "bits", "--labels", elsewhere)
    assert report["labels"] == str(elsewhere)


def test_msr_vtt_has_categories_for_labels(
    models: ClipModels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clips(tmp_path / "walls", per_kind=1)
    (tmp_path / "TestVideo").mkdir()
    videos, sentences = [], []
    for number, clip in enumerate(sorted((tmp_path / "walls").rglob("*.mp4"))):
        clip.rename(tmp_path / "TestVideo" / f"video{7010 + number}.mp4")
        level, motion = clip.parent.name.split()[0], clip.stem.split()[0]
        own = {"video_id": f"video{7010 + number}", "split": "test", "category": list(MOTIONS).index(motion)}
        videos.append(own | {"url": "", "start time": 1.0, "end time": 2.0, "id": number})
        said = {"caption": f"a {level} wall {motion}", "video_id": own["video_id"], "sen_id": number}
        sentences.append(said)
    path = tmp_path / "test_videodatainfo.json"
    path.write_text(json.dumps({"info": {}, "videos": videos, "sentences": sentences}))
    (report,) = run_json(capsys, path, "--protocol", "hashing", "-m", "bits")
    assert (report["dataset"], report["split"], report["labels"]) == ("msr-vtt", "test", "msr-vtt's own")
    assert report["text_to_video"]["map_tie_aware"] > report["text_to_video"]["random"]
    (recall,) = run_json(capsys, path, "--protocol", "msr-vtt", "-m", "motions")
    assert recall["protocol"] == "msr-vtt, reduced to 6 clips"
    assert recall["text_to_video"]["r1"] == 100
    assert "msr-vtt has 2,990 clips and this split 6: not comparable with published numbers." in recall["notes"]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("--items", "*.avi"), DatasetError, r"No name of walls all fits \*\.avi"),
        (("--split", "test"), DatasetError, r"no split called 'test'\. It has no splits: say all"),
        (("--equivalents", "no.json"), DatasetError, r"no\.json cannot be read"),
        (("--protocol", "hashing", "--clips", "best-shot"), ConfigError, "one code for each clip"),
        (("--protocol", "hashing", "--relevance", "shape"), ConfigError, "group 'shape'. Groups: level, motion"),
        (("--protocol", "hashing", "--relevance", "any,"), ConfigError, "No label is of the group ''"),
        (("--protocol", "hashing", "--preset", "coco-5000", "--items", "*"), ConfigError, "Leave --items out"),
    ],
)
def test_bad_calls_are_refused_before_anything_is_encoded(
    models: ClipModels, walls: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    error: type[UserFacingError], says: str,
) -> None:  # fmt: skip
    from explorer.evaluation.hashing_presets import PRESETS, HashingPreset

    monkeypatch.setitem(PRESETS, "coco-5000", HashingPreset("coco-5000", ("coco",), 2, 3, seed=8))
    with pytest.raises(error, match=says):
        run_command(["evaluate", "--dataset", str(walls), "-m", "bits", *arguments])
    assert not models.encoders["bits"].seen


@pytest.mark.parametrize(
    "arguments",
    [
        ("--clips", "half"), ("--frames", "0"), ("--frames", "9999"), ("--clips", "best-shot", "--frames", "4"),
        ("--relevance", "motion"), ("--protocol", "hashing", "--equivalents", "x.json"),
    ],
)  # fmt: skip
def test_a_wrong_call_has_status_2(models: ClipModels, walls: Path, arguments: tuple[str, ...]) -> None:
    assert run_command(["evaluate", "--dataset", str(walls), *arguments]) == 2
