"""``sample``: render pictures and clips that are searched at once, with all that is known of them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from explorer.cancellation import Cancelled
from explorer.cli.shared import JsonOption, print_out, progress_bar, say, stoppable
from explorer.errors import UserFacingError

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or one to go on with.")]
SeedOption = Annotated[int, typer.Option(help="Another number gives other scenes.")]
ImagesOption = Annotated[int, typer.Option("--images", help="How many pictures.")]
ClipsOption = Annotated[int, typer.Option("--clips", help="How many clips.")]
SplitOption = Annotated[
    str, typer.Option(help="train, val or test: test has silhouettes, backdrops and phrases that the others have not.")
]
SideOption = Annotated[
    int, typer.Option("--side", help="Long edge of the clips in px; pictures are half as large again.")
]


def sample(
    folder: FolderArgument,
    seed: SeedOption = 0,
    images: ImagesOption = 240,
    clips: ClipsOption = 240,
    split: SplitOption = "val",
    side: SideOption = 320,
    as_json: JsonOption = False,
) -> None:
    """Render the sample collection: pictures and clips with sentences, labels, boxes and masks.

    Ctrl-C is safe, the same command goes on. Nothing that is in the folder is overwritten.
    """
    from explorer.datasets.scenes.collection import CAPTIONS, CollectionPlan
    from explorer.datasets.scenes.world import SPLITS
    from explorer.datasets.scenes.writing import write_collection
    from explorer.errors import ConfigError

    known = next((name for name in SPLITS if name == split), None)
    if known is None:
        raise ConfigError(f'There is no split "{split}".', f"Say one of {', '.join(SPLITS)}.")
    plan = CollectionPlan(seed=seed, split=known, n_images=images, n_clips=clips, side_px=side)
    folder = folder.expanduser().absolute()
    with stoppable() as token, progress_bar() as bar:
        task = bar.add_task("rendering", total=None)
        try:
            for step in write_collection(folder, plan, token=token):
                bar.update(task, completed=step.n_done, total=step.n_total)
        except Cancelled:
            raise UserFacingError("Stopped.", "Run the same command again to go on where it stopped.") from None
    say(f"{folder}: {images:,} pictures and {clips:,} clips.")
    say(f"Search them: retrieval-explorer index {folder} --captions {folder / CAPTIONS}")
    if as_json:
        print_out(
            json.dumps(
                {"folder": str(folder), "captions": str(folder / CAPTIONS), "n_images": images, "n_clips": clips},
                indent=2,
            )
        )
