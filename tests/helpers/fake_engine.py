"""An engine for the window's tests: speaks the protocol over stdio, with a small made-up library and no models.

Run as a script. What it does is a pure function of its options and of the requests, so that tests can foresee it:

* the library holds ``--items`` generated pictures (or the files of ``--photos``) under one source folder;
* ranking by a sentence orders items by a hash of sentence and id; scores fall from 0.9;
* sentences beginning with a command do what they say: ``crash`` ends the process, ``slow`` takes a second,
  ``fail`` is refused, ``none`` finds nothing;
* a folder whose name contains ``crash`` ends the process half-way through indexing;
* the last ``--videos`` of the items are videos of ``--shots`` shots each; ``--clip`` is the file they all are.
"""

import argparse
import hashlib
import io
import os
import queue
import sys
import threading
import time
from pathlib import Path

import fake_evidence  # beside this script
import fake_sentences
import fake_videos
import msgspec
import numpy as np
from PIL import Image, ImageDraw

from explorer import protocol as p
from explorer import segment_ids

MODELS = (
    p.ModelSummary(
        name="3shnet-flickr8k", family="three_shnet", title="3SHNet, Flickr8k", output="embedding, 1024-d",
        modalities=("text", "image"), overlays=("vsem", "vspm", "segmentation"),
    ),
    p.ModelSummary(
        name="pooled-lite0", family="pooled", title="Pooled features", output="embedding, 384-d",
        modalities=("text", "image"), overlays=(),
    ),
    p.ModelSummary(
        name="broken", family="three_shnet", title="Broken package", output="", modalities=(), overlays=(),
        problem="The weights of broken do not match the hash in its model.toml.",
    ),
)


MOTION_MODEL = p.ModelSummary(
    name="dsmhn-scenes-64", family="dsmhn", title="DSMHN 64 bits (rendered scenes)", output="code",
    modalities=("text", "image", "video"), overlays=(),
)


def code_model(n_bits: int) -> p.ModelSummary:
    return p.ModelSummary(
        name=f"tvdb-flickr8k-{n_bits}", family="tvdb", title=f"TVDB, {n_bits} bits, Flickr8k", output="code",
        modalities=("text", "image"), overlays=("regions", "region-bits"),
    )


class Stop(Exception):
    """The request was cancelled."""


class FakeEngine:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.photos = sorted(Path(options.photos).iterdir()) if options.photos else []
        self.sources: dict[int, tuple[bytes, int]] = {}
        self.indexed: dict[str, int] = {}
        self.path = b""
        self.models = MODELS
        if options.code_bits:
            self.models = (code_model(options.code_bits), *MODELS)
        if options.motion_model:
            self.models = (*self.models, MOTION_MODEL)
        if options.items:
            self.sources[1] = (os.fsencode(options.folder_name), options.items)
            self.indexed = {self.models[0].name: options.items, MODELS[0].name: options.items}
        self.cancelled: set[int] = set()
        self.lock = threading.Lock()
        self.index_jobs: queue.Queue[p.IndexFolders | p.AddCaptions | p.RenderSample] = queue.Queue()
        self.n_sentences = options.sentences
        self.out = sys.stdout.buffer

    # --- talking

    def say(self, message: p.Message) -> None:
        with self.lock:
            p.write_message(self.out, message)

    def serve(self) -> None:
        requests: queue.Queue[p.Message | None] = queue.Queue()
        threading.Thread(target=self.read, args=(requests,), daemon=True).start()
        threading.Thread(target=self.index_lane, daemon=True).start()
        time.sleep(self.options.start_ms / 1000)
        burnt = time.monotonic() + self.options.burn_ms / 1000
        while time.monotonic() < burnt:
            pass  # as if libraries were imported
        while (request := requests.get()) is not None:
            try:
                answer = self.answer(request)
            except Stop:
                answer = p.Cancelled(id=request.id)
            if answer is not None:
                self.say(answer)

    def read(self, requests: "queue.Queue[p.Message | None]") -> None:
        decoder = msgspec.msgpack.Decoder(p.Request)
        while (request := p.read_message(sys.stdin.buffer, decoder)) is not None:
            if isinstance(request, p.Shutdown):
                break
            if isinstance(request, p.Cancel):
                if not self.options.ignore_cancel:
                    self.cancelled.add(request.target)
            elif isinstance(request, p.IndexFolders | p.AddCaptions | p.RenderSample):
                self.index_jobs.put(request)
            else:
                requests.put(request)
        if not self.options.ignore_cancel:
            os._exit(0)
        requests.put(None)

    def pause(self, request_id: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if request_id in self.cancelled:
                raise Stop
            time.sleep(0.005)

    # --- answering

    def answer(self, request: p.Message) -> p.Message | None:  # noqa: C901 - one line for each request
        match request:
            case p.Hello():
                if self.options.mute:
                    return None
                return p.Welcome(
                    id=request.id, protocol_version=self.options.protocol_version, program_version="0.1.0",
                    device="CPU", pid=os.getpid(),
                )
            case p.ListModels():
                return p.ModelList(id=request.id, models=() if self.options.no_models else self.models)
            case p.OpenLibrary():
                return self.open(request)
            case p.DescribeLibrary():
                return self.state(request.id)
            case p.LoadModel():
                self.pause(request.id, self.options.load_ms / 1000)
                return p.ModelLoaded(id=request.id, name=request.name, device="CPU", elapsed_ms=1.0)
            case p.RemoveSource():
                self.sources.pop(request.source_id, None)
                return self.state(request.id)
            case p.Search():
                return self.search(request)
            case p.Browse():
                return p.SearchResponse(id=request.id, item_ids=self.ids().tobytes(), scores=b"")
            case p.DescribeItems():
                return p.ItemDescriptions(id=request.id, items=tuple(self.describe(i) for i in request.item_ids))
            case p.GetThumbnails():
                return p.Thumbnails(
                    id=request.id,
                    thumbnails=tuple(p.Thumbnail(item_id=i, jpeg=self.jpeg(i, 256)) for i in request.item_ids),
                )
            case p.GetPicture():
                image = self.image(request.item_id)
                width, height = image.size
                return p.Picture(
                    id=request.id, item_id=request.item_id, jpeg=self.jpeg(request.item_id, request.max_edge_px),
                    full_width_px=width, full_height_px=height,
                )
            case p.GetPoster():
                if b"broken" in request.path:
                    return p.Failed(id=request.id, message="It is no video.", kind="MediaError")
                return p.Picture(id=request.id, item_id=-1, jpeg=self.jpeg(1, request.max_edge_px), full_width_px=320,
                                 full_height_px=240)
            case p.GetShots():
                return fake_videos.shots(request, self.options.shots)
            case p.Explain():
                self.pause(request.id, 0.05)
                explanation = fake_evidence.explanation(request)
                if self.is_video(request.item_id):
                    return msgspec.structs.replace(explanation, clip=fake_videos.clip_maps(request.item_id))
                return explanation
            case p.CarriersOfBit():
                self.pause(request.id, self.options.carriers_ms / 1000)
                return self.find_carriers(request)
            case p.SearchSentences():
                return self.rank_sentences(request)
            case p.MakeFigure():
                self.pause(request.id, self.options.figure_ms / 1000)
                return fake_sentences.figure(request, self.options.figure_error)
            case p.ListErrors():
                return p.ErrorList(id=request.id, problems=self.problems(), n_total=self.options.errors)
            case p.GetRecipeForms():
                return p.RecipeForms(id=request.id, forms=())  # it can train nothing
            case p.ListDevices():
                return p.Devices(id=request.id, devices=())
        raise AssertionError(request)

    def open(self, request: p.OpenLibrary) -> p.Message:
        self.path = request.path
        if self.options.open_error:
            kind, _, sentence = self.options.open_error.partition(": ")
            return p.Failed(id=request.id, message=sentence, remedy="Choose another one.", kind=kind)
        return self.state(request.id)

    def state(self, request_id: int) -> p.LibraryState:
        n_items = sum(n for _, n in self.sources.values())
        return p.LibraryState(
            id=request_id, path=self.path, display=os.fsdecode(self.path), n_items=n_items,
            n_errors=self.options.errors, n_indexed=dict(self.indexed), read_only=self.options.read_only,
            n_sentences=self.n_sentences, n_videos=min(self.options.videos, n_items),
            sources=tuple(
                p.Source(source_id=i, path=path, display=path.decode("utf-8", "replace"), n_items=n,
                         missing=b"missing" in path)
                for i, (path, n) in self.sources.items()
            ),
        )

    def ids(self) -> np.ndarray:
        return np.arange(1, 1 + sum(n for _, n in self.sources.values()), dtype="<i8")

    def first_video(self) -> int:
        return len(self.ids()) + 1 - self.options.videos

    def is_video(self, segment_id: int) -> bool:
        return segment_ids.item_of(segment_id) >= self.first_video()

    def search(self, request: p.Search) -> p.Message:
        text = request.query.text
        if text.startswith("crash"):
            sys.stderr.write("the fake engine was told to crash\n")
            sys.stderr.flush()
            os._exit(9)
        if text.startswith("fail"):
            return p.Failed(id=request.id, message="This cannot be searched for.", remedy="Use other words.",
                            kind="QueryError")
        self.pause(request.id, 1.0 if text.startswith("slow") else self.options.search_ms / 1000)
        n_indexed = self.indexed.get(request.model, 0)
        ids = self.ids()[:n_indexed]
        if text.startswith("none"):
            ids = ids[:0]
        seed = int.from_bytes(hashlib.sha256(repr(request.query).encode()).digest()[:4], "big")
        ids = fake_videos.segments_of(ids, self.first_video(), self.options.shots)
        ids = np.random.default_rng(seed).permutation(ids)
        scores = (0.9 * np.exp(-np.arange(len(ids)) / 60)).astype("<f4")
        if n_bits := fake_evidence.n_bits_of(request.model):
            scores = np.array([fake_evidence.score_of(request.query, i, n_bits) for i in ids.tolist()], "<f4")
            order = np.lexsort((ids, -scores))
            ids, scores = ids[order], scores[order]
        if not request.every_moment:
            best = fake_videos.best_of_each(ids)
            ids, scores = ids[best], scores[best]
        return p.SearchResponse(
            id=request.id, item_ids=ids.tobytes(), scores=scores.tobytes(), model=request.model, query=request.query,
            encode_ms=9.0, score_ms=1.0, sort_ms=0.5, n_unindexed=len(self.ids()) - n_indexed,
            n_bits=fake_evidence.n_bits_of(request.model),
        )

    def describe(self, item_id: int) -> p.ItemDescription:
        photo = self.photos[item_id % len(self.photos)] if self.photos else Path(f"/nowhere/picture {item_id}.jpg")
        width, height = self.image(item_id).size
        if video := self.is_video(item_id):
            photo = Path(self.options.clip or f"/nowhere/clip {segment_ids.item_of(item_id)}.mp4")
        start_s, end_s = fake_videos.span(item_id) if video else (0.0, 0.0)
        return p.ItemDescription(
            item_id=item_id, path=os.fsencode(photo), display=str(photo), name=photo.name,
            kind="video" if video else "image", start_s=start_s, end_s=end_s,
            n_shots=self.options.shots * video, duration_s=fake_videos.SHOT_S * self.options.shots * video,
            width_px=width, height_px=height, size_bytes=123_456 + item_id % 10_000,
            modified_at=1.7e9 + 86_400 * segment_ids.item_of(item_id),
            captured_at="2024-05-17T14:30:00",
            captions=fake_sentences.SENTENCES[:5] if self.n_sentences else (),
        )

    def image(self, item_id: int) -> Image.Image:
        if self.photos:
            return Image.open(self.photos[item_id % len(self.photos)]).convert("RGB")
        size = [(320, 240), (240, 320), (300, 300)][segment_ids.item_of(item_id) % 3]
        colour = tuple(item_id * factor % 200 + 30 for factor in (47, 89, 31))
        image = Image.new("RGB", size, colour)
        ImageDraw.Draw(image).ellipse((60, 60, 180, 180), fill=(240, 240, 220))
        return image

    def jpeg(self, item_id: int, edge: int) -> bytes:
        image = self.image(item_id)
        image.thumbnail((edge, edge))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=85)
        return stream.getvalue()

    def find_carriers(self, request: p.CarriersOfBit) -> p.Message:
        if self.options.carriers_error:
            return p.Failed(id=request.id, message=self.options.carriers_error, remedy="Index the library again.",
                            kind="StaleIndexError")
        return fake_evidence.carriers(request, self.ids()[: self.indexed.get(request.model, 0)])

    def rank_sentences(self, request: p.SearchSentences) -> p.Message:
        if self.options.sentences_error:
            return p.Failed(id=request.id, message=self.options.sentences_error, remedy="Use another picture.",
                            kind="QueryError")
        for done in range(0, self.n_sentences if self.options.sentences_ms else 0, 10):
            self.say(p.Progress(id=request.id, stage="Encoding sentences", n_done=done, n_total=self.n_sentences))
            self.pause(request.id, self.options.sentences_ms / 1000)
        return fake_sentences.ranked(request, self.n_sentences, len(self.ids()))

    def add_captions(self, request: p.AddCaptions) -> p.Message:
        if b"refused" in request.path:
            return p.Failed(id=request.id, message="The file holds no sentences.", kind="DatasetError",
                            remedy="Choose a Karpathy json, COCO captions or captions.json.")
        n_new = 5 * len(self.ids())
        for done in range(0, n_new + 1, self.options.step):
            self.pause(request.id, self.options.step / self.options.rate)
            self.say(p.Progress(id=request.id, stage="Encoding sentences", n_done=done, n_total=n_new,
                                rate_per_s=self.options.rate))
        self.n_sentences += n_new
        return p.CaptionsAdded(id=request.id, n_sentences=n_new, n_items=len(self.ids()), n_unmatched=12,
                               n_encoded=n_new)

    def problems(self) -> tuple[p.FileProblem, ...]:
        return tuple(
            p.FileProblem(path=b"/photos/broken %d.jpg" % i, display=f"/photos/broken {i}.jpg",
                          error="The file ends in the middle of the picture.")
            for i in range(self.options.errors)
        )

    def render_sample(self, request: p.RenderSample) -> p.Message:
        """Nothing is written; a folder whose name contains ``refused`` is."""
        if b"refused" in request.folder:
            return p.Failed(id=request.id, message="The folder refused is not empty.", kind="ConfigError",
                            remedy="Choose a new folder.")
        for done in range(0, 101, self.options.step):
            self.pause(request.id, self.options.step / self.options.rate)
            self.say(p.Progress(id=request.id, stage="clips", n_done=done, n_total=100))
        return p.SampleRendered(
            id=request.id, folder=request.folder, display=os.fsdecode(request.folder), n_images=300, n_clips=200,
            captions=os.path.join(request.folder, b"captions.json"),
        )

    # --- indexing

    def index_lane(self) -> None:
        while True:
            request = self.index_jobs.get()
            try:
                match request:
                    case p.AddCaptions():
                        self.say(self.add_captions(request))
                    case p.RenderSample():
                        self.say(self.render_sample(request))
                    case _:
                        self.say(self.index(request))
            except Stop:
                self.say(p.Cancelled(id=request.id))

    def index(self, request: p.IndexFolders) -> p.Message:
        started = time.monotonic()
        folders = request.folders
        if any(b"refused" in folder for folder in folders):
            return p.Failed(id=request.id, message="The folder refused cannot be read.",
                            remedy="Check that it is there.", kind="SourceError")
        n_new = self.options.n_found * len(folders) if folders else 0
        n_total = n_new or len(self.ids())
        self.say(p.Progress(id=request.id, stage="Looking for photos", n_done=0, n_total=0))
        for done in range(0, n_total + 1, self.options.step):
            self.pause(request.id, self.options.step / self.options.rate)
            if done > n_total // 2 and any(b"crash" in folder for folder in folders):
                os._exit(9)
            if folders:
                self.grow(folders, done, request.model)
            elapsed = time.monotonic() - started
            self.say(p.Progress(
                id=request.id, stage="Indexing", n_done=done, n_total=n_total, rate_per_s=done / elapsed,
                remaining_s=(n_total - done) / self.options.rate, current=f"IMG_{done:04d}.jpg",
            ))
        self.indexed[request.model] = len(self.ids())
        return p.IndexFinished(
            id=request.id, n_added=n_new, n_changed=0, n_moved=0, n_removed=0, n_unchanged=n_total - n_new,
            n_failed=0, n_encoded=n_total, elapsed_s=time.monotonic() - started, state=self.state(request.id),
        )


    def grow(self, folders: tuple[bytes, ...], done: int, model: str) -> None:
        """What is indexed so far is in the library, as in the real engine."""
        for folder in folders:
            here = min(done, self.options.n_found)
            known = next((i for i, (path, _) in self.sources.items() if path == folder), len(self.sources) + 1)
            self.sources[known] = (folder, here)
            done -= here
        self.indexed[model] = len(self.ids())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--photos", default="")
    parser.add_argument("--folder-name", default="/home/ada/Pictures/Holidays")
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--n-found", type=int, default=30, help="photos found in an added folder")
    parser.add_argument("--rate", type=float, default=300.0, help="photos a second when indexing")
    parser.add_argument("--step", type=int, default=5)
    parser.add_argument("--search-ms", type=float, default=5)
    parser.add_argument("--start-ms", type=float, default=0)
    parser.add_argument("--burn-ms", type=float, default=0, help="keep one core busy before the first answer")
    parser.add_argument("--load-ms", type=float, default=20)
    parser.add_argument("--videos", type=int, default=0, help="how many of the items are videos, the last ones")
    parser.add_argument("--shots", type=int, default=3, help="of each video")
    parser.add_argument("--clip", default="", help="a file that the videos say they are")
    parser.add_argument("--sentences", type=int, default=0, help="in the library at the start")
    parser.add_argument("--sentences-ms", type=float, default=0, help="for ten sentences to encode before ranking")
    parser.add_argument("--sentences-error", default="")
    parser.add_argument("--code-bits", type=int, default=0, help="offer a model with codes of so many bits first")
    parser.add_argument("--carriers-ms", type=float, default=5)
    parser.add_argument("--carriers-error", default="")
    parser.add_argument("--figure-ms", type=float, default=5)
    parser.add_argument("--figure-error", default="")
    parser.add_argument("--open-error", default="", help='"LibraryBusyError: Another program writes to it."')
    parser.add_argument("--protocol-version", type=int, default=p.PROTOCOL_VERSION)
    for flag in ("--read-only", "--ignore-cancel", "--mute", "--no-models", "--motion-model", "--die", "--garbage"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    if options.die:
        sys.stderr.write("ModuleNotFoundError: No module named 'torch'\n")
        sys.exit(3)
    if options.garbage:
        sys.stdout.write("hello, I print to standard output before I speak the protocol\n")
        sys.stdout.flush()
        time.sleep(60)
    FakeEngine(options).serve()


if __name__ == "__main__":
    main()
