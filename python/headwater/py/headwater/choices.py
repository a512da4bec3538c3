"""What arguments choose from, for people, type checkers and the checks at run time: written once."""

from typing import List, Literal, Tuple, Union, get_args

#: How far the storage side takes a sample, by our names, by SOPHON's, and by those of plans.
Cut = Literal[
    "encoded",
    "jpeg-crop",
    "decoded",
    "cropped",
    "flipped",
    "tensor",
    "normalized",
    "features",
    "no-off",
    "resize-off",
    "all-off",
    "sophon",
    "optimal",
]
#: What an image is: a torch tensor, the u8 pixels that it is made from, or a NumPy array of the tensor's values.
Output = Literal["tensor", "pixels", "numpy"]
#: How pixels travel.
Pixels = Literal["raw", "lossless"]
#: How much calls count on servers beside those of others.
Priority = Literal["high", "normal", "low"]
#: What is done about samples that fail.
OnError = Literal["raise", "skip", "substitute"]
#: What may be asked of a sample.
Field = Literal["image", "label", "key", "index", "replaced"]
#: Names of fields, those of the dataset's own among them. A text by itself is no list of names.
FieldNames = Union[List[str], Tuple[str, ...]]
#: What a cache keeps.
CachePolicy = Literal["planned", "importance", "static", "lru", "lfu"]
#: In which order samples come: as seed and epoch say, or of these those first that servers have cached.
Ordering = Literal["seeded", "opportunistic"]
#: Who has a shard.
Mode = Literal["rank", "node", "disk"]

OUTPUTS: Tuple[str, ...] = get_args(Output)
PIXELS: Tuple[str, ...] = get_args(Pixels)
PRIORITIES: Tuple[str, ...] = get_args(Priority)
ON_ERROR: Tuple[str, ...] = get_args(OnError)
FIELDS: Tuple[str, ...] = get_args(Field)
POLICIES: Tuple[str, ...] = get_args(CachePolicy)
ORDERINGS: Tuple[str, ...] = get_args(Ordering)
MODES: Tuple[str, ...] = get_args(Mode)
