"""What DSMHN's streams are made of (README.md 2.2). The sources name kinds of backbones; sizes are reconstructed."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from explorer.networks.common.codes import check_bits
from explorer.networks.dsmhn.video_network import VideoNetworkConfig

ImagePart = Literal["grid_mean", "grid_max", "trunk_mean", "presence", "detections", "alexnet"]
"""What can be read of a picture: means and largest values of the shared backbone's maps, how surely the segmenter sees
each class in it, how surely the region proposer found each, and AlexNet's fc7."""

IMAGE_PARTS: tuple[ImagePart, ...] = get_args(ImagePart)

TextReader = Literal["bow", "mean-vectors", "minilm"]
"""What reads a sentence: an MLP on which words it has, the mean of their trained vectors, MiniLM's frozen embedding."""

TEXT_READERS: tuple[TextReader, ...] = get_args(TextReader)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashConfig:
    """What ends every stream: a hidden layer, K numbers, the tanh.

    Attributes:
        n_bits: width of the code.
        hidden_dim: width of the hidden layer; 0 for none.
        dropout: before the layer of K numbers.
        input_dropout: before the hidden layer.
        normalised: whether each activation has mean 0 and spread 1 over the training items before the tanh: without,
            all items begin with about the same code.
    """

    n_bits: int = 64
    hidden_dim: int = 256
    dropout: float = 0.0
    input_dropout: float = 0.0
    normalised: bool = True

    def __post_init__(self) -> None:
        check_bits(self.n_bits)
        if self.hidden_dim < 0:
            raise ValueError(f"hidden_dim must be at least 0, got {self.hidden_dim}")
        for share in (self.dropout, self.input_dropout):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"dropout must be in [0, 1), got {share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStreamConfig(HashConfig):
    """Sizes of :class:`~explorer.networks.dsmhn.model.ImageStream`.

    Attributes:
        parts: what is read of a picture, of :data:`IMAGE_PARTS`, in this order.
        feature_dim: width of all parts together.
    """

    parts: tuple[ImagePart, ...] = ("grid_mean", "grid_max", "trunk_mean")
    feature_dim: int = 2672

    def __post_init__(self) -> None:
        HashConfig.__post_init__(self)
        if not self.parts or not set(self.parts) <= set(IMAGE_PARTS) or len(set(self.parts)) < len(self.parts):
            raise ValueError(f"parts must be some of {', '.join(IMAGE_PARTS)}, each once, got {self.parts}")
        if self.feature_dim < 1:
            raise ValueError(f"feature_dim must be at least 1, got {self.feature_dim}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStreamConfig(HashConfig):
    """Sizes of :class:`~explorer.networks.dsmhn.model.TextStream`.

    Attributes:
        readers: what reads the sentences, one or more of :data:`TEXT_READERS`, whose numbers meet in the hidden layer.
        n_words: rows of the word table, the special ones included; 0 for MiniLM alone, which has its own.
        n_tokens: a sentence is cut after so many words.
        word_dim: width of a word vector, of ``"mean-vectors"``.
        word_dropout: share of words that are left out in training.
    """

    readers: tuple[TextReader, ...] = ("bow",)
    n_words: int = 0
    n_tokens: int = 64
    word_dim: int = 300
    word_dropout: float = 0.0

    def __post_init__(self) -> None:
        HashConfig.__post_init__(self)
        if not self.readers or not set(self.readers) <= set(TEXT_READERS) or len(set(self.readers)) < len(self.readers):
            raise ValueError(f"readers must be some of {', '.join(TEXT_READERS)}, each once, got {self.readers}")
        if (self.readers == ("minilm",)) != (self.n_words == 0):
            raise ValueError(f"a table of {self.n_words} words does not go with the readers {', '.join(self.readers)}")
        if min(self.n_tokens, self.word_dim, self.hidden_dim) < 1 or self.n_words < 0:
            raise ValueError(f"every size of the text stream must be at least 1, got {self}")
        if not 0.0 <= self.word_dropout < 1.0:
            raise ValueError(f"word_dropout must be in [0, 1), got {self.word_dropout}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStreamConfig(HashConfig):
    """Sizes of :class:`~explorer.networks.dsmhn.video_stream.VideoStream`.

    Attributes:
        network: the 3-D CNN.
    """

    hidden_dim: int = 0
    network: VideoNetworkConfig = field(default_factory=VideoNetworkConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfigs:
    """Which streams a model has; all give codes of one length.

    Attributes:
        image: of pictures, or None.
        video: of clips, or None.
        text: of sentences, or None.
    """

    image: ImageStreamConfig | None = None
    video: VideoStreamConfig | None = None
    text: TextStreamConfig | None = None

    def __post_init__(self) -> None:
        lengths = {stream.n_bits for stream in (self.image, self.video, self.text) if stream is not None}
        if not lengths:
            raise ValueError("there is no stream: name at least one of image, video and text")
        if len(lengths) > 1:
            raise ValueError(f"the streams give codes of different lengths: {sorted(lengths)}")

    @property
    def n_bits(self) -> int:
        """The code's length."""
        return next(stream.n_bits for stream in (self.image, self.video, self.text) if stream is not None)
