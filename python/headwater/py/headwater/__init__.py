"""PyTorch trains from storage servers that read, decode, crop and extract features beside the photos.

    >>> import headwater
    >>> data = headwater.IterableDataset("node1:7440,node2:7440", "photos", recipe="imagenet-train", batch_size=256)

See docs/python.md for everything else. Importing starts nothing: threads and connections come with the first sample, in
the process that reads it.
"""

from headwater._headwater import (
    AccessError,
    CacheError,
    GenerationError,
    HeadwaterError,
    Recipe,
    RecipeError,
    ServerError,
    __version__,
)
from headwater.cached import CachedDataset
from headwater.cuts import CUTS
from headwater.errors import HeadwaterWarning, SampleError
from headwater.importance import ImportanceSampler
from headwater.iterable import IterableDataset
from headwater.labelled import LabelledPhoto, label_counts, labels
from headwater.limits import Limits
from headwater.mapped import MapDataset
from headwater.plans import PlanSummary
from headwater.progress import merge_states
from headwater.serving import ServedDataset, datasets
from headwater.shards import ShardSampler
from headwater.transforms import recipe_from

__all__ = [
    "AccessError",
    "CUTS",
    "CacheError",
    "CachedDataset",
    "GenerationError",
    "HeadwaterError",
    "HeadwaterWarning",
    "ImportanceSampler",
    "IterableDataset",
    "LabelledPhoto",
    "Limits",
    "MapDataset",
    "PlanSummary",
    "Recipe",
    "RecipeError",
    "SampleError",
    "ServedDataset",
    "ServerError",
    "ShardSampler",
    "__version__",
    "datasets",
    "label_counts",
    "labels",
    "merge_states",
    "recipe_from",
]
